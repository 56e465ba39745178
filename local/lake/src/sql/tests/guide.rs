//! Texts of Athena's user guide that Athena refuses, or that are no statement, each with its file and line.

/// Why a text of the guide is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// A clause without its statement.
    Fragment,
    /// Brackets, an ellipsis or a placeholder of a grammar.
    Grammar,
    /// More than one statement, or words in a row.
    NotOne,
    /// A slip: Athena refuses what stands there.
    Slip,
    /// Hive's or SQL's of another engine.
    OtherLanguage,
}

use Reason::{Fragment, Grammar, NotOne, OtherLanguage, Slip};

pub(super) const REFUSED: &[(&str, u64, Reason)] = &[
    ("alter-table-add-partition.md", 69, Grammar),
    // A list of the statements that EXPLAIN takes.
    ("athena-explain-statement.md", 50, NotOne),
    // SELECT without columns.
    ("athena-explain-statement.md", 303, Slip),
    // A catalog with a hyphen and no quotes.
    ("connect-data-source-hive-existing-lambda.md", 36, Slip),
    ("create-table-as.md", 46, Fragment),
    ("create-table-as.md", 54, Fragment),
    ("create-table-as.md", 73, Fragment),
    ("create-table-as.md", 80, Fragment),
    ("create-table-as.md", 135, Fragment),
    ("create-table-as.md", 149, Fragment),
    ("create-table-as.md", 156, Fragment),
    ("create-table-as.md", 164, Fragment),
    ("create-table-as.md", 172, Fragment),
    ("create-view.md", 12, Grammar),
    // A table's name in single quotes, and no OUTPUTFORMAT.
    ("creating-tables-based-on-encrypted-datasets-in-s3.md", 13, Slip),
    ("csv-serde.md", 12, Fragment),
    ("describe-view.md", 7, Grammar),
    ("drop-view.md", 9, Grammar),
    // TABLE stands for a table's name.
    ("engine-versions-reference-0003.md", 334, Grammar),
    ("engine-versions-reference-0003.md", 340, Grammar),
    // Well-known text without quotes.
    ("geospatial-functions-list-v2.md", 472, Slip),
    ("handling-schema-updates-chapter.md", 54, Fragment),
    ("handling-schema-updates-chapter.md", 94, Fragment),
    // LATERAL VIEW, of a Hive view.
    ("hive-views.md", 98, OtherLanguage),
    // A comma after the last column, here and in the next two.
    ("ion-serde-using-create-table.md", 13, Slip),
    ("ion-serde-using-create-table.md", 43, Slip),
    ("ion-serde-using-path-extractors.md", 150, Slip),
    ("ion-serde-using-path-extractors.md", 52, Fragment),
    ("querying-iceberg-data-optimization.md", 28, NotOne),
    ("querying-iceberg-evolving-table-schema.md", 53, Grammar),
    ("querying-iceberg-managing-tables.md", 13, Grammar),
    ("querying-iceberg-managing-tables.md", 103, Grammar),
    // A dash for a minus.
    ("querying-iceberg-table-data.md", 33, Slip),
    ("querying-iceberg-table-data.md", 41, Grammar),
    // A list of reserved words.
    ("reserved-words.md", 37, NotOne),
    // A comma is missing between arguments.
    ("running-federated-queries.md", 31, Slip),
    ("show-create-table.md", 7, Grammar),
    ("sql-execute.md", 15, NotOne),
    ("sql-prepare.md", 7, Grammar),
    ("troubleshooting-athena.md", 184, Grammar),
    // A comma after the last column.
    ("types-of-updates.md", 58, Slip),
];

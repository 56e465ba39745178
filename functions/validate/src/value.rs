//! A canonical value, made of the file's value.

use shared::dataset::{Column, ColumnType};
use shared::sql::{Name, Sql, Text, sql};

use crate::file_schema::{FileType, Layout};
use crate::plan::RunPlan;

/// The longest text of a CSV field, in characters. The TLC's longest, the name of a zone, has 45.
pub const LONGEST_TEXT: usize = 1_024;

/// A canonical column with the raw columns that fill it.
#[derive(Clone, Debug)]
pub struct Value<'a> {
    pub column: &'a Column,
    sources: Vec<Source<'a>>,
    layout: Layout,
}

#[derive(Clone, Debug)]
struct Source<'a> {
    /// Its name after renaming: `"r3"`.
    raw: Sql,
    file_type: &'a FileType,
}

/// The name that raw column `index` has inside the conversion, apart from all canonical names.
pub fn raw_name(index: usize) -> Sql {
    sql("{}", &[&Name(&format!("r{index}"))])
}

/// The values of all canonical columns, in the contract's order.
pub fn values<'a>(plan: &'a RunPlan<'_>) -> Vec<Value<'a>> {
    let file_type = |index: usize| &plan.schema.columns[index].file_type;
    let source = |index: &usize| Source { raw: raw_name(*index), file_type: file_type(*index) };
    let readable = |index: &&usize| *file_type(**index) != FileType::Null;
    let columns = plan.dataset.columns.iter().zip(&plan.mapping.sources);
    columns
        .map(|(column, sources)| Value {
            column,
            sources: sources.iter().filter(readable).map(source).collect(),
            layout: plan.schema.layout,
        })
        .collect()
}

impl Value<'_> {
    /// Whether the file has it at all.
    pub fn is_there(&self) -> bool {
        !self.sources.is_empty()
    }

    /// The canonical value, NULL where there is none or it cannot be read.
    pub fn sql(&self) -> Sql {
        let mut values = self.sources.iter().map(|source| self.cast(source));
        match (values.next(), values.next()) {
            (None, _) => sql("CAST(NULL AS {})", &[&self.column.column_type.trino()]),
            (Some(value), None) => value,
            (Some(first), Some(second)) => {
                let all = [first, second].into_iter().chain(values);
                sql("COALESCE({})", &[&Sql::join(all, ", ")])
            }
        }
    }

    /// Whether the file has something here that is no value of the canonical type. None for
    /// columns that cannot have such: those that are not read from text, and texts of Parquet.
    ///
    /// Athena reads bytes that are not UTF-8 as U+FFFD.
    pub fn unparsable(&self) -> Option<Sql> {
        let texts = || self.sources.iter().filter(|source| *source.file_type == FileType::Text);
        texts().next()?;
        let name = Name(&self.column.name);
        if self.column.column_type == ColumnType::Text {
            let broken = || {
                let replaced = Text("\u{fffd}");
                sql(
                    "LENGTH({}) > {} OR STRPOS({}, {}) > 0",
                    &[&name, &LONGEST_TEXT, &name, &replaced],
                )
            };
            return (self.layout == Layout::Positional).then(broken);
        }
        let filled = texts().map(|source| match self.column.words.get("") {
            None => sql("TRIM({}) <> ''", &[&source.raw]),
            Some(words) => {
                let words = std::iter::once("").chain(words.iter().map(String::as_str));
                let words = Sql::join(words.map(|word| sql("{}", &[&Text(word)])), ", ");
                sql("UPPER(TRIM({})) NOT IN ({})", &[&source.raw, &words])
            }
        });
        let filled = Sql::join(filled, " OR ");
        let lost = sql("{} IS NULL AND ({})", &[&name, &filled]);
        Some(match self.column.column_type {
            // Infinity is no amount, and NaN is less than nothing.
            ColumnType::Double => {
                sql("{} OR NOT ABS({}) < CAST('Infinity' AS double)", &[&lost, &name])
            }
            ColumnType::Bigint | ColumnType::Timestamp | ColumnType::Text => lost,
        })
    }

    /// What stands there, for the reason of a rejection: its first 64 characters.
    pub fn found(&self) -> Sql {
        let texts = self.sources.iter().filter(|source| *source.file_type == FileType::Text);
        let texts = Sql::join(texts.map(|s| sql("COALESCE({}, '')", &[&s.raw])), " || ' ' || ");
        sql("SUBSTR({}, 1, 64)", &[&texts])
    }

    fn cast(&self, source: &Source<'_>) -> Sql {
        let raw = &source.raw;
        match (self.column.column_type, source.file_type) {
            (ColumnType::Bigint, FileType::Bigint) | (ColumnType::Double, FileType::Double) => {
                raw.clone()
            }
            (ColumnType::Bigint, FileType::Text) => self.whole_number(raw),
            (ColumnType::Bigint, FileType::Int | FileType::Boolean) => {
                sql("CAST({} AS bigint)", &[raw])
            }
            (ColumnType::Bigint, _) => sql("TRY_CAST({} AS bigint)", &[raw]),
            (ColumnType::Double, FileType::Text) => {
                sql("TRY_CAST(NULLIF(TRIM({}), '') AS double)", &[raw])
            }
            (ColumnType::Double, _) => sql("CAST({} AS double)", &[raw]),
            (ColumnType::Timestamp, FileType::Text) => {
                sql("TRY_CAST(NULLIF(TRIM({}), '') AS timestamp(3))", &[raw])
            }
            (ColumnType::Timestamp, _) => sql("CAST({} AS timestamp(3))", &[raw]),
            (ColumnType::Text, file_type) => self.text(raw, file_type),
        }
    }

    /// Digits, digits with a point and zeros as some writers add to codes, or one of the words.
    fn whole_number(&self, raw: &Sql) -> Sql {
        let text = sql("NULLIF(TRIM({}), '')", &[raw]);
        let digits = sql("TRY_CAST({} AS bigint)", &[&text]);
        let with_zeros = sql("TRY_CAST(regexp_replace({}, '[.]0*$', '') AS bigint)", &[&text]);
        match self.words() {
            None => sql("COALESCE({}, {})", &[&digits, &with_zeros]),
            Some(words) => {
                let word = sql("CASE UPPER({}) {} END", &[&text, &words]);
                sql("COALESCE({}, {}, CAST({} AS bigint))", &[&digits, &with_zeros, &word])
            }
        }
    }

    /// Text as it is; of CSV without blanks around, and nothing for an empty field.
    fn text(&self, raw: &Sql, file_type: &FileType) -> Sql {
        let text = match file_type {
            FileType::Text if self.layout == Layout::Named && self.column.words.is_empty() => {
                return raw.clone();
            }
            FileType::Text => sql("NULLIF(TRIM({}), '')", &[raw]),
            FileType::Float | FileType::Double | FileType::Decimal { .. } => {
                sql("CAST(TRY_CAST({} AS bigint) AS varchar)", &[raw])
            }
            _ => sql("CAST({} AS varchar)", &[raw]),
        };
        match self.words() {
            None => text,
            Some(words) => sql("CASE UPPER({}) {} ELSE {} END", &[&text, &words, &text]),
        }
    }

    /// `WHEN 'CASH' THEN 2 …`; none when the column has no words.
    fn words(&self) -> Option<Sql> {
        let words = self.column.words.iter().filter(|(value, _)| !value.is_empty());
        let cases = words.flat_map(|(value, words)| {
            let value = match (self.column.column_type, value.parse::<i64>()) {
                (ColumnType::Bigint, Ok(code)) => sql("{}", &[&code]),
                _ => sql("{}", &[&Text(value)]),
            };
            words.iter().map(move |word| sql("WHEN {} THEN {}", &[&Text(word), &value]))
        });
        let cases: Vec<_> = cases.collect();
        (!cases.is_empty()).then(|| Sql::join(cases, " "))
    }
}

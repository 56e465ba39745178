//! The table over the file as it came.

use shared::sql::{HiveName, HiveText, Sql, sql};

use crate::file_schema::Layout;
use crate::plan::RunPlan;

/// The Hive DDL of the raw table.
///
/// Parquet columns are found by name, and declared with their physical type: Athena reads nothing
/// else (`HIVE_BAD_DATA`). Of CSV every field is text. `OpenCSVSerde` takes quotes off, gives an
/// empty field as an empty text and a missing one as NULL; a blank line is one empty field.
/// Source: Athena user guide, "Handling schema updates" and "Open CSV `SerDe`".
pub fn create(plan: &RunPlan<'_>) -> Sql {
    let columns = plan
        .raw_columns()
        .into_iter()
        .map(|column| sql("{} {}", &[&HiveName(&column.name), &column.hive_type]));
    let layout = match plan.schema.layout {
        Layout::Named => sql("STORED AS PARQUET", &[]),
        Layout::Positional => sql(
            "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' \
             WITH SERDEPROPERTIES ('separatorChar' = ',', 'quoteChar' = '\"') STORED AS TEXTFILE",
            &[],
        ),
    };
    let properties = match plan.schema.layout {
        Layout::Named => sql("", &[]),
        Layout::Positional => sql("\nTBLPROPERTIES ('skip.header.line.count' = '1')", &[]),
    };
    sql(
        "CREATE EXTERNAL TABLE IF NOT EXISTS {}.{} ({})\n{}\nLOCATION {}{}",
        &[
            &HiveName(plan.database),
            &HiveName(&plan.raw_table),
            &Sql::join(columns, ", "),
            &layout,
            &HiveText(&plan.source.to_string()),
            &properties,
        ],
    )
}

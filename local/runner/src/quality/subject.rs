//! What a ruleset judges: a table of the catalog, or a file.
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use aws::lake::sql::TrinoType;
use aws::lake::store::PutOptions;
use datafusion::arrow::datatypes::DataType;
use datafusion::parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use dqdl::{Column, Table};
use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::query::{self, Answer, Context};

/// A table, or a file that becomes one.
#[derive(Clone, Debug)]
pub enum Subject {
    /// `table` or `database.table`.
    Table(String),
    File(PathBuf),
}

/// Where files go to be read.
const BUCKET: &str = "quality-files";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Parquet,
    Csv,
    CsvGz,
}

impl Subject {
    /// A file if the name ends as one's, else a table.
    pub fn named(name: &str) -> Self {
        let path = Path::new(name);
        if format(path).is_some() {
            Self::File(path.to_owned())
        } else {
            Self::Table(name.to_owned())
        }
    }

    pub fn is_file(&self) -> bool {
        matches!(self, Self::File(_))
    }

    /// As rules see it; a file becomes one of `loaded` first.
    ///
    /// # Errors
    /// When there is no such table, or the file cannot be read.
    pub async fn table(
        &self,
        cloud: &Cloud,
        context: &Context,
        loaded: &mut Vec<Loaded>,
    ) -> anyhow::Result<Table> {
        match self {
            Self::Table(name) => {
                let (database, table) = name.split_once('.').unwrap_or((&context.database, name));
                of_catalog(cloud, database, table).await
            }
            Self::File(path) => {
                let table = load(cloud, context, path, loaded).await;
                let table =
                    table.with_context(|| format!("the file {} cannot be read", path.display()))?;
                of_catalog(cloud, &context.database, &table).await
            }
        }
    }
}

fn format(path: &Path) -> Option<Format> {
    let ending =
        |path: &Path| path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    match ending(path)?.as_str() {
        "parquet" => Some(Format::Parquet),
        "csv" => Some(Format::Csv),
        "gz" if ending(Path::new(path.file_stem()?))? == "csv" => Some(Format::CsvGz),
        _ => None,
    }
}

async fn of_catalog(cloud: &Cloud, database: &str, table: &str) -> anyhow::Result<Table> {
    let found =
        cloud.call("glue", "GetTable", json!({"DatabaseName": database, "Name": table})).await;
    let found = match found {
        Ok(found) => found,
        Err(error) if error.code() == "EntityNotFoundException" => {
            bail!("there is no table {database}.{table}; files end in .parquet, .csv or .csv.gz")
        }
        Err(error) => return Err(error.into()),
    };
    let columns =
        |place: &str| found.pointer(place).and_then(Value::as_array).cloned().unwrap_or_default();
    let stored = columns("/Table/StorageDescriptor/Columns")
        .into_iter()
        .chain(columns("/Table/PartitionKeys"));
    let text =
        |column: &Value, member: &str| column[member].as_str().unwrap_or_default().to_owned();
    let columns = stored
        .map(|column| Column::of_type(&text(&column, "Name"), &text(&column, "Type")))
        .collect();
    Ok(Table::named(database, table, columns))
}

/// A file as a table, until [`Loaded::forget`].
pub struct Loaded {
    table: String,
    key: String,
}

impl Loaded {
    /// Takes table and object away again; the file stays.
    pub async fn forget(self, cloud: &Cloud, context: &Context) -> anyhow::Result<()> {
        let name = json!({"DatabaseName": context.database, "Name": self.table});
        match cloud.call("glue", "DeleteTable", name).await {
            // The file was refused before it became a table.
            Err(error) if error.code() == "EntityNotFoundException" => {}
            deleted => drop(deleted?),
        }
        cloud.s3(http::Method::DELETE, &format!("/{BUCKET}/{}", self.key), "").await?;
        Ok(())
    }
}

/// Lays a table over a file where it lies: Parquet by the types of its footer, CSV as text by the names of its header.
async fn load(
    cloud: &Cloud,
    context: &Context,
    path: &Path,
    loaded: &mut Vec<Loaded>,
) -> anyhow::Result<String> {
    let table = format!("quality_{}", uuid::Uuid::new_v4().simple());
    let format = format(path).context("it ends in neither .parquet nor .csv nor .csv.gz")?;
    let (columns, ending) = match format {
        Format::Parquet => (parquet_columns(path)?, "parquet"),
        Format::Csv => (csv_columns(File::open(path)?)?, "csv"),
        Format::CsvGz => (csv_columns(MultiGzDecoder::new(File::open(path)?))?, "csv.gz"),
    };
    match cloud.s3(http::Method::PUT, &format!("/{BUCKET}"), "").await {
        Err(error) if error.code() != "BucketAlreadyOwnedByYou" => return Err(error.into()),
        _ => {}
    }
    let key = format!("{table}/file.{ending}");
    let store = &cloud.services().lake().store;
    store.put_blob(BUCKET, &key, store.lend(path)?, PutOptions::default())?;
    loaded.push(Loaded { table: table.clone(), key });
    let columns =
        columns.iter().map(|(name, kind)| format!("`{}` {kind}", name.replace('`', "``")));
    let columns = columns.collect::<Vec<_>>().join(", ");
    let is_parquet = format == Format::Parquet;
    let layout = if is_parquet {
        "STORED AS PARQUET"
    } else {
        "ROW FORMAT SERDE 'org.apache.hadoop.hive.serde2.OpenCSVSerde' STORED AS TEXTFILE"
    };
    let properties =
        if is_parquet { "" } else { " TBLPROPERTIES ('skip.header.line.count' = '1')" };
    let ddl = format!(
        "CREATE EXTERNAL TABLE `{}`.`{table}` ({columns}) {layout} LOCATION 's3://{BUCKET}/{table}/'{properties}",
        context.database
    );
    match query::run(cloud, context, &ddl).await? {
        Answer::Rows(_) => Ok(table),
        Answer::Refused(reason) => bail!("{reason}"),
    }
}

/// Names and Hive types. Hive's timestamp has no precision to say.
fn parquet_columns(path: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let metadata = ArrowReaderMetadata::load(&File::open(path)?, ArrowReaderOptions::default())?;
    let columns = metadata.schema().fields().iter().map(|field| {
        let hive = match field.data_type() {
            DataType::Timestamp(..) => "timestamp".to_owned(),
            other => TrinoType::of_file(other).to_hive().map_err(|_| {
                anyhow::anyhow!("column {}: no table has the type {other}", field.name())
            })?,
        };
        Ok((field.name().to_lowercase(), hive))
    });
    columns.collect()
}

fn csv_columns(file: impl Read) -> anyhow::Result<Vec<(String, String)>> {
    let mut reader = csv::Reader::from_reader(file);
    let header = reader.headers()?;
    if header.iter().all(|name| name.trim().is_empty()) {
        bail!("it has no header");
    }
    let names = header.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_lowercase());
    Ok(names.map(|name| (name, "string".to_owned())).collect())
}

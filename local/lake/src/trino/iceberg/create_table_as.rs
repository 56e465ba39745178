//! `CREATE TABLE … AS` of an Iceberg table: files and metadata, then the catalog's entry.

use std::collections::BTreeMap;

use iceberg::{Field, PartitionSpec, Schema, TableMetadata, Transform};

use super::write;
use crate::S3Url;
use crate::catalog::{Table, TableInput};
use crate::sql::{Failure, QueryError, QueryOutput};
use crate::tables::iceberg::{
    Change, CreateError, DataWriterPlan, IcebergTable, Source, create, file_type, stored_name,
    stored_properties,
};
use crate::tables::is_empty;
use crate::trino::create_table_as::named_columns;
use crate::trino::names::CATALOG;
use crate::trino::planning;
use crate::trino::properties::{integer, names, text};
use crate::trino::query::Running;
use crate::trino::statement::{CreateTableAs, Properties};

/// What a statement says about the table it makes.
struct Given {
    location: S3Url,
    partitioning: Vec<(String, Transform)>,
    properties: BTreeMap<String, String>,
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new("INVALID_TABLE_PROPERTY", message)
}

/// Whether properties ask for an Iceberg table.
pub(in crate::trino) fn is_asked(properties: &Properties) -> bool {
    properties.iter().any(|(name, value)| {
        name == "table_type"
            && text(name, value).is_ok_and(|kind| kind.eq_ignore_ascii_case("iceberg"))
    })
}

/// Source: user guide, create-table-as.md.
fn read(properties: &Properties) -> Result<Given, Failure> {
    let (mut location, mut external, mut partitioning) = (None, None, Vec::new());
    let mut others: Vec<(String, String)> = Vec::new();
    for (name, value) in properties {
        match name.as_str() {
            "table_type" => {}
            "location" => {
                let place = text(name, value)?;
                let place = place.parse::<S3Url>();
                location =
                    Some(place.map_err(|error| invalid(format!("location: {error}")))?.folder());
            }
            "is_external" => external = Some(text(name, value)?),
            "partitioning" => {
                partitioning = names(name, value)?
                    .iter()
                    .map(|part| transform(part))
                    .collect::<Result<_, _>>()?;
            }
            "external_location" | "partitioned_by" | "bucketed_by" | "bucket_count" => {
                return Err(invalid(format!(
                    "Table property '{name}' is not supported for Iceberg tables"
                )));
            }
            name if stored_name(name).is_some() => {
                let value = text(name, value)
                    .or_else(|_| integer(name, value).map(|number| number.to_string()))?;
                others.push((name.to_owned(), value));
            }
            other => {
                return Err(invalid(format!(
                    "Catalog 'awsdatacatalog' table property '{other}' does not exist"
                )));
            }
        }
    }
    if external.as_deref() != Some("false") {
        return Err(invalid(
            "External tables of the table type ICEBERG are not supported: set the property 'is_external' to false",
        ));
    }
    let location = location.ok_or_else(|| {
        invalid("Table location needs to be specified for an Iceberg table: 'location'")
    })?;
    Ok(Given { location, partitioning, properties: stored_properties(&others)? })
}

/// `month(ts)`, `bucket(16, id)` or `bucket(id, 16)`.
pub(crate) fn transform(text: &str) -> Result<(String, Transform), Failure> {
    let refused = || invalid(format!("Invalid partition transform: {text}"));
    let plain = |name: &str| name.trim().trim_matches(['"', '`']).to_lowercase();
    let Some((name, arguments)) = text.trim().split_once('(') else {
        return Ok((plain(text), Transform::Identity));
    };
    let arguments = arguments.trim_end().strip_suffix(')').ok_or_else(refused)?;
    let arguments: Vec<&str> = arguments.split(',').map(str::trim).collect();
    let (column, size) = match arguments.as_slice() {
        [column] => (*column, None),
        [one, other] => match (one.parse::<u32>(), other.parse::<u32>()) {
            (Ok(size), _) => (*other, Some(size)),
            (_, Ok(size)) => (*one, Some(size)),
            _ => return Err(refused()),
        },
        _ => return Err(refused()),
    };
    let transform = match (name.trim().to_lowercase().as_str(), size) {
        ("identity", None) => Transform::Identity,
        ("year" | "years", None) => Transform::Year,
        ("month" | "months", None) => Transform::Month,
        ("day" | "days", None) => Transform::Day,
        ("hour" | "hours", None) => Transform::Hour,
        ("void", None) => Transform::Void,
        ("bucket", Some(size @ 1..)) => Transform::Bucket(size),
        ("truncate", Some(size @ 1..)) => Transform::Truncate(size),
        _ => return Err(refused()),
    };
    Ok((plain(column), transform))
}

pub(in crate::trino) async fn run(
    running: &Running<'_>,
    statement: &CreateTableAs,
    database: &str,
    name: &str,
) -> Result<QueryOutput, QueryError> {
    let lake = running.lake;
    let given = read(&statement.properties)?;
    if !is_empty(&lake.store, &given.location)? {
        return Err(Failure::new(
            "ICEBERG_FILESYSTEM_ERROR",
            format!("Cannot create a table on a non-empty location: {}", given.location),
        )
        .into());
    }
    let state = planning::session(&running.visible(), running.context)?;
    let plan = planning::plan(&state, &statement.query).await?;
    let columns = named_columns(&plan)?;
    let mut next = 0;
    let mut ids = || {
        next += 1;
        next
    };
    let mut fields: Vec<Field> = Vec::with_capacity(columns.len());
    for (name, kind) in &columns {
        let kind = file_type(kind, Source::Query)?;
        fields.push(Field { id: ids(), name: name.clone(), required: false, kind, doc: None });
    }
    for field in &mut fields {
        field.kind = field.kind.with_ids(&mut ids);
    }
    let schema = Schema { id: 0, fields, identifier_field_ids: Vec::new() };
    let spec = PartitionSpec::new(&schema, &given.partitioning)
        .map_err(|error| invalid(error.to_string()))?;
    let mut properties = defaults();
    properties.extend(given.properties);
    let metadata = TableMetadata::new(
        uuid::Uuid::new_v4().to_string(),
        given.location.to_string().trim_end_matches('/').to_owned(),
        schema,
        spec,
        properties,
        crate::clock::now().as_millisecond(),
    );
    let draft = draft(database, name, metadata);
    let writer = DataWriterPlan::new(&lake.store, &draft, &running.context.query_id)?;
    let kinds = draft.columns()?.into_iter().map(|(_, kind)| kind).collect();
    let (added, rows) = if statement.with_data {
        write::run(state, plan, writer, kinds)
            .await
            .map_err(|error| QueryError::from(error).with_orphans(&draft.metadata.location))?
    } else {
        (Vec::new(), 0)
    };
    let bytes = write::bytes(&added);
    let change = Change { added, ..Change::default() };
    let mut metadata = draft.metadata.as_ref().clone();
    change.first(lake, &mut metadata)?;
    create(lake, database, name, metadata).map_err(|error| match error {
        CreateError::Failure(failure) => failure,
        CreateError::Catalog(crate::catalog::CatalogError::TableExists(_)) => Failure::new(
            "TABLE_ALREADY_EXISTS",
            format!("Table '{CATALOG}.{database}.{name}' already exists"),
        ),
        CreateError::Catalog(other) => Failure::new("HIVE_METASTORE_ERROR", other.to_string()),
    })?;
    let output =
        running.context.output_location.join(&format!("tables/{}", running.context.query_id));
    let mut done = write::finished(running, "", rows, bytes)?;
    done.output_location = output.to_string();
    Ok(done)
}

/// The properties Athena gives a table of its own.
pub(crate) fn defaults() -> BTreeMap<String, String> {
    [("write.format.default", "PARQUET"), ("write.parquet.compression-codec", "zstd")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// A table that no catalog knows yet.
fn draft(database: &str, name: &str, metadata: TableMetadata) -> IcebergTable {
    let definition = TableInput { name: name.to_owned(), ..TableInput::default() };
    IcebergTable {
        entry: Table {
            database_name: database.to_owned(),
            version_id: "0".to_owned(),
            create_time: None,
            update_time: None,
            definition,
        },
        metadata_location: metadata.location.clone(),
        metadata: metadata.into(),
    }
}

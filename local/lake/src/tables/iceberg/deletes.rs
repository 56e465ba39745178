//! Places of rows that are gone: read from files of deletes, and written to them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Int64Array, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::object_store::ObjectStore;
use datafusion::parquet::arrow::PARQUET_FIELD_ID_META_KEY;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use futures::TryStreamExt;
use iceberg::{Content, DataFile, PartitionSpec, Value};

use super::arrays::id_of;
use super::metrics::metrics;
use super::parquet_file::ParquetFile;
use super::snapshot_files::LiveFile;
use super::table::parsed;
use super::writer::{DataWriterPlan, FileWriter};
use crate::sql::Failure;
use crate::store::BucketStore;

/// The ids of the columns of files of deletes. Source: the specification, "Reserved Field IDs".
const PATH_ID: i32 = 2_147_483_546;
const POSITION_ID: i32 = 2_147_483_545;

/// Places of rows in data files, by the files' paths.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deleted {
    /// Ascending, each once.
    places: HashMap<String, Vec<u64>>,
    /// How many files of deletes are about each.
    files: HashMap<String, usize>,
}

/// A place with when it was deleted.
type Mark = (u64, i64);

impl Deleted {
    /// Reads what files of deletes say of data files.
    pub async fn read(
        store: impl Fn(&str) -> Result<Arc<dyn ObjectStore>>,
        deletes: &[LiveFile],
        data: &[LiveFile],
    ) -> Result<Self> {
        let wanted: HashSet<&str> = data.iter().map(|live| live.file.file_path.as_str()).collect();
        let mut marks: HashMap<String, Vec<Mark>> = HashMap::new();
        let mut files: HashMap<String, usize> = HashMap::new();
        for live in deletes.iter().filter(|live| may_be_about(&live.file, &wanted)) {
            let mut about: HashSet<String> = HashSet::new();
            for (path, place) in rows(&store, &live.file).await? {
                if !wanted.contains(path.as_str()) {
                    continue;
                }
                if !about.contains(&path) {
                    about.insert(path.clone());
                }
                marks.entry(path).or_default().push((place, live.sequence_number));
            }
            for path in about {
                *files.entry(path).or_default() += 1;
            }
        }
        let mut places = HashMap::new();
        for live in data {
            let Some(marks) = marks.get(&live.file.file_path) else { continue };
            // Deletes are about the rows that were there.
            let own = marks.iter().filter(|(_, sequence)| *sequence >= live.sequence_number);
            let own: BTreeSet<u64> = own.map(|(place, _)| *place).collect();
            places.insert(live.file.file_path.clone(), own.into_iter().collect());
        }
        Ok(Self { places, files })
    }

    /// How many files of deletes are about a data file.
    pub fn files_about(&self, path: &str) -> usize {
        self.files.get(path).copied().unwrap_or(0)
    }

    /// The places in a data file.
    pub fn of(&self, path: &str) -> &[u64] {
        self.places.get(path).map_or(&[], Vec::as_slice)
    }
}

/// Whether a file of deletes is about any of these files, as far as its bounds tell.
fn may_be_about(file: &DataFile, wanted: &HashSet<&str>) -> bool {
    match only_path(file) {
        Some(path) => wanted.contains(path.as_str()),
        None => true,
    }
}

/// The one data file that a file of deletes is about, if its bounds say so.
pub(super) fn only_path(file: &DataFile) -> Option<String> {
    let (lower, upper) = (file.lower_bounds.get(&PATH_ID)?, file.upper_bounds.get(&PATH_ID)?);
    (lower == upper).then(|| String::from_utf8(lower.clone()).ok()).flatten()
}

async fn rows(
    store: impl Fn(&str) -> Result<Arc<dyn ObjectStore>>,
    file: &DataFile,
) -> Result<Vec<(String, u64)>> {
    let url = parsed(&file.file_path)?;
    let broken =
        || Failure::new("ICEBERG_BAD_DATA", format!("no file of deletes: {}", file.file_path));
    let reader = ParquetFile {
        store: store(url.bucket())?,
        path: BucketStore::path(url.key()),
        size: u64::try_from(file.file_size_in_bytes).map_err(|_| broken())?,
    };
    let mut batches = reader.open(ArrowReaderOptions::new()).await?.build()?;
    let mut found = Vec::new();
    while let Some(batch) = batches.try_next().await? {
        let schema = batch.schema();
        let column = |id: i32, name: &str| {
            let place = schema.fields().iter().position(|field| match id_of(field) {
                Some(own) => own == id,
                None => field.name() == name,
            });
            place.map(|place| batch.column(place)).ok_or_else(broken)
        };
        let paths = cast(column(PATH_ID, "file_path")?, &DataType::Utf8)?;
        let places = cast(column(POSITION_ID, "pos")?, &DataType::Int64)?;
        let pairs = paths.as_string::<i32>().iter().zip(places.as_primitive::<Int64Type>());
        for (path, place) in pairs {
            let (Some(path), Some(place)) = (path, place) else { return Err(broken().into()) };
            found.push((path.to_owned(), u64::try_from(place).map_err(|_| broken())?));
        }
    }
    Ok(found)
}

/// Writes the file of the places in one data file, which are ascending.
pub(super) fn write(
    plan: &DataWriterPlan,
    spec: &PartitionSpec,
    partition: &[Option<Value>],
    path: &str,
    places: &[u64],
) -> Result<DataFile> {
    let schema = schema();
    let url = plan.place(spec, partition)?;
    let mut writer = FileWriter::open(plan, url.clone(), &schema)?;
    let places: Int64Array =
        places.iter().map(|place| i64::try_from(*place).unwrap_or(i64::MAX)).collect();
    let paths: ArrayRef = Arc::new(StringArray::from(vec![path; places.len()]));
    writer.write(&RecordBatch::try_new(schema, vec![paths, Arc::new(places)])?)?;
    let (groups, size) = writer.finish()?;
    let mut file = metrics(&groups, &BTreeMap::new());
    // Readers tell by bounds that are one that the file is about one other.
    file.lower_bounds.insert(PATH_ID, path.as_bytes().to_vec());
    file.upper_bounds.insert(PATH_ID, path.as_bytes().to_vec());
    Ok(DataFile {
        content: Content::PositionDeletes,
        file_path: url.to_string(),
        partition: partition.to_vec(),
        file_size_in_bytes: i64::try_from(size).unwrap_or(i64::MAX),
        sort_order_id: None,
        ..file
    })
}

fn schema() -> SchemaRef {
    let field = |name: &str, kind: DataType, id: i32| {
        let id = HashMap::from([(PARQUET_FIELD_ID_META_KEY.to_owned(), id.to_string())]);
        Field::new(name, kind, false).with_metadata(id)
    };
    Arc::new(Schema::new(vec![
        field("file_path", DataType::Utf8, PATH_ID),
        field("pos", DataType::Int64, POSITION_ID),
    ]))
}

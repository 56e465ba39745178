//! A folder of files by the TLC's names, as the source publishes it.
use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use md5::{Digest as _, Md5};
use thiserror::Error;

use crate::sample;
use crate::tlc::{Dataset, Format, LOOKUP, Month, TripFile};

/// The lookup's older name.
const OLD_LOOKUP: &str = "taxi+_zone_lookup.csv";

/// What of a folder is published, and what was passed over.
#[derive(Debug)]
pub struct Folder {
    trips: BTreeMap<(Dataset, Month), (TripFile, PathBuf)>,
    lookup: PathBuf,
    /// A line for everything that is not served, and why.
    notes: Vec<String>,
    etags: Mutex<HashMap<PathBuf, (u64, SystemTime, String)>>,
}

#[derive(Debug, Error)]
pub enum FolderError {
    #[error("cannot read the folder {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error(
        "{path} has no file by the TLC's names (<yellow|green|fhv|fhvhv>_tripdata_<YYYY-MM>.<parquet|csv.gz|csv>): name a folder that has, or use --from sample"
    )]
    Empty { path: PathBuf },
    #[error(transparent)]
    Lookup(#[from] sample::SampleError),
}

/// A file as it is served now.
#[derive(Clone, Debug)]
pub struct Published {
    pub path: PathBuf,
    pub bytes: u64,
    pub modified: SystemTime,
    /// In quotes: the MD5 of the content, as S3 has it for a single upload.
    pub etag: String,
}

impl Folder {
    /// Looks at the files directly in `dir`. Without a lookup there, the built-in one is
    /// written to `builtin` (a folder of our own) and served.
    pub fn scan(dir: &Path, builtin: &Path) -> Result<Self, FolderError> {
        let unread = |source| FolderError::Read { path: dir.to_owned(), source };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(unread)? {
            let entry = entry.map_err(unread)?;
            if entry.path().is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        let (mut trips, mut notes) = (BTreeMap::<_, (TripFile, PathBuf)>::new(), Vec::new());
        for name in names.iter().filter(|name| !name.starts_with('.')) {
            let Some(file) = TripFile::from_name(name) else {
                if name != LOOKUP && name != OLD_LOOKUP {
                    notes.push(format!("passed over {name}: not a name of the TLC's"));
                }
                continue;
            };
            let (winner, loser) = match trips.get(&(file.dataset, file.month)) {
                Some((other, _)) if other.format < file.format => (*other, Some(file)),
                Some((other, _)) => (file, Some(*other)),
                None => (file, None),
            };
            if let Some(loser) = loser {
                notes.push(format!("passed over {loser}: {winner} has the same month"));
            }
            trips.insert((file.dataset, file.month), (winner, dir.join(winner.to_string())));
        }
        if trips.is_empty() {
            return Err(FolderError::Empty { path: dir.to_owned() });
        }
        let known = |name: &&str| names.iter().any(|found| found == name);
        let lookup = if let Some(name) = [LOOKUP, OLD_LOOKUP].into_iter().find(known) {
            dir.join(name)
        } else {
            sample::write_all(builtin, &[])?;
            notes.push(format!("{LOOKUP} is not there: the built-in lookup is used"));
            builtin.join(LOOKUP)
        };
        Ok(Self { trips, lookup, notes, etags: Mutex::default() })
    }

    /// What was passed over, a line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The months at hand with their files, in order.
    pub fn trips(&self) -> impl Iterator<Item = (TripFile, &Path)> {
        self.trips.values().map(|(file, path)| (*file, path.as_path()))
    }

    /// Takes a month out of what is served and gives its file.
    pub fn withdraw(&mut self, dataset: Dataset, month: Month) -> Option<(TripFile, PathBuf)> {
        self.trips.remove(&(dataset, month))
    }

    /// The file at `/<place>/<name>`; `None` when nothing is published there.
    pub async fn find(&self, place: &str, name: &str) -> io::Result<Option<Published>> {
        let path = match place {
            "misc" if name == LOOKUP => self.lookup.clone(),
            "trip-data" => {
                let Some(file) = TripFile::from_name(name) else { return Ok(None) };
                match self.trips.get(&(file.dataset, file.month)) {
                    Some((served, path)) if *served == file => path.clone(),
                    _ => return Ok(None),
                }
            }
            _ => return Ok(None),
        };
        let metadata = tokio::fs::metadata(&path).await?;
        let (bytes, modified) = (metadata.len(), metadata.modified()?);
        let known = self.etags.lock().expect("no holder of this lock panics").get(&path).cloned();
        let etag = match known {
            Some((known_bytes, known_modified, etag))
                if (known_bytes, known_modified) == (bytes, modified) =>
            {
                etag
            }
            _ => {
                let of = path.clone();
                let etag = tokio::task::spawn_blocking(move || digest(&of))
                    .await
                    .map_err(io::Error::other)??;
                let entry = (bytes, modified, etag.clone());
                self.etags
                    .lock()
                    .expect("no holder of this lock panics")
                    .insert(path.clone(), entry);
                etag
            }
        };
        Ok(Some(Published { path, bytes, modified, etag }))
    }
}

fn digest(path: &Path) -> io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let (mut md5, mut chunk) = (Md5::new(), vec![0; 1 << 20]);
    loop {
        let read = file.read(&mut chunk)?;
        if read == 0 {
            return Ok(format!("\"{:x}\"", md5.finalize()));
        }
        md5.update(&chunk[..read]);
    }
}

impl Published {
    /// The status that conditions of a request call for instead of the file.
    pub fn condition(&self, headers: &HeaderMap) -> Option<StatusCode> {
        let value = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let matches =
            |list: &str| list.split(',').map(str::trim).any(|tag| tag == "*" || tag == self.etag);
        let since = |text: &str| {
            jiff::fmt::rfc2822::parse(text)
                .ok()
                .map(|time| self.seconds() > time.timestamp().as_second())
        };
        if value(header::IF_MATCH).is_some_and(|list| !matches(list)) {
            return Some(StatusCode::PRECONDITION_FAILED);
        }
        if value(header::IF_UNMODIFIED_SINCE).and_then(since) == Some(true)
            && value(header::IF_MATCH).is_none()
        {
            return Some(StatusCode::PRECONDITION_FAILED);
        }
        let none_match = value(header::IF_NONE_MATCH);
        let unmodified = value(header::IF_MODIFIED_SINCE).and_then(since) == Some(false);
        let known = none_match.map_or(unmodified, matches);
        known.then_some(StatusCode::NOT_MODIFIED)
    }

    fn seconds(&self) -> i64 {
        let since = self.modified.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    /// As in a `Last-Modified` header: `Fri, 01 Mar 2024 00:00:00 GMT`.
    pub fn last_modified(&self) -> String {
        let time = jiff::Timestamp::from_second(self.seconds()).unwrap_or_default();
        time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }

    pub fn content_type(&self) -> &'static str {
        let name = self.path.to_string_lossy();
        match Format::ALL.into_iter().find(|format| name.ends_with(format.extension())) {
            Some(Format::Csv) => "text/csv",
            Some(Format::CsvGz) => "application/gzip",
            Some(Format::Parquet) | None => "binary/octet-stream",
        }
    }
}

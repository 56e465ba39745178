//! Listings in the order of the keys' bytes.

use rusqlite::{Transaction, params};

use super::object::{self, Object};
use super::{Store, StoreError, bucket};
use crate::watch::Verb;

/// Which keys to list.
#[derive(Clone, Copy, Debug)]
pub struct ListQuery<'a> {
    /// Only keys that begin so; empty for all.
    pub prefix: &'a str,
    /// Keys with the delimiter after the prefix are rolled up to one common prefix.
    pub delimiter: Option<&'a str>,
    /// Only keys after this one: a key, or what [`Listing::next`] said.
    pub after: Option<&'a str>,
    /// At most so many keys and common prefixes. S3 caps it at 1,000; here the
    /// caller does.
    pub max: usize,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listing {
    pub objects: Vec<Object>,
    pub prefixes: Vec<String>,
    /// Where to go on, if there is more.
    pub next: Option<String>,
}

/// Versions and delete markers, of one key the newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VersionListing {
    pub versions: Vec<Object>,
    pub prefixes: Vec<String>,
    /// Where to go on, if there is more.
    pub next: Option<VersionMarker>,
}

/// The last entry of a page: a key, and the version of it unless all of its versions
/// (or all keys of a common prefix) are done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionMarker {
    pub key: String,
    pub version_id: Option<String>,
}

impl Store {
    /// Lists the latest versions that are no delete markers. Error: `NoSuchBucket`.
    pub fn list(&self, bucket: &str, query: ListQuery<'_>) -> Result<Listing, StoreError> {
        self.watch.object(Verb::List, bucket, query.prefix)?;
        self.meter.list();
        self.database.read(|snapshot| {
            bucket::bucket(snapshot, bucket)?;
            let mut listing = Listing::default();
            let more = walk(
                &query,
                Start::after(&query, None),
                |start, count| latest(snapshot, bucket, &query, start, count),
                |entry| match entry {
                    Entry::Object(object) => listing.objects.push(*object),
                    Entry::Prefix(prefix) => listing.prefixes.push(prefix),
                },
            )?;
            listing.next = more.map(|last| last.key);
            Ok(listing)
        })
    }

    /// Lists all versions. `query.after` is the key marker; with `after_version` the
    /// page begins after that version of it. Error: `NoSuchBucket`.
    pub fn list_versions(
        &self,
        bucket: &str,
        query: ListQuery<'_>,
        after_version: Option<&str>,
    ) -> Result<VersionListing, StoreError> {
        self.meter.list();
        self.database.read(|snapshot| {
            bucket::bucket(snapshot, bucket)?;
            let sequence = match (query.after, after_version) {
                (Some(key), Some(version)) => sequence_of(snapshot, bucket, key, version)?,
                _ => None,
            };
            let mut listing = VersionListing::default();
            let more = walk(
                &query,
                Start::after(&query, sequence),
                |start, count| versions(snapshot, bucket, &query, start, count),
                |entry| match entry {
                    Entry::Object(object) => listing.versions.push(*object),
                    Entry::Prefix(prefix) => listing.prefixes.push(prefix),
                },
            )?;
            listing.next = more;
            Ok(listing)
        })
    }
}

enum Entry {
    Object(Box<Object>),
    Prefix(String),
}

/// Where the next rows begin.
#[derive(Clone)]
enum Start {
    /// At this key or after it.
    At(Vec<u8>),
    /// After all versions of this key.
    AfterKey(Vec<u8>),
    /// After this version of this key.
    AfterVersion(Vec<u8>, i64),
    /// Nothing can follow.
    End,
}

impl Start {
    fn after(query: &ListQuery<'_>, sequence: Option<i64>) -> Self {
        let Some(after) = query.after else {
            return Self::At(query.prefix.as_bytes().to_vec());
        };
        if after < query.prefix {
            return Self::At(query.prefix.as_bytes().to_vec());
        }
        if common_prefix(after, query) == Some(after) {
            return Self::past(after);
        }
        match sequence {
            Some(sequence) => Self::AfterVersion(after.as_bytes().to_vec(), sequence),
            None => Self::AfterKey(after.as_bytes().to_vec()),
        }
    }

    /// The first key that does not begin with `prefix`.
    fn past(prefix: &str) -> Self {
        successor(prefix.as_bytes()).map_or(Self::End, Self::At)
    }

    fn key(&self) -> &[u8] {
        match self {
            Self::At(key) | Self::AfterKey(key) | Self::AfterVersion(key, _) => key,
            Self::End => &[],
        }
    }
}

/// Reads rows in pages and rolls them up, jumping over what a common prefix hides.
/// Answers with the last entry of a full page behind which there is more.
fn walk(
    query: &ListQuery<'_>,
    mut start: Start,
    mut rows: impl FnMut(&Start, usize) -> Result<Vec<Object>, StoreError>,
    mut emit: impl FnMut(Entry),
) -> Result<Option<VersionMarker>, StoreError> {
    if query.max == 0 {
        return Ok(None);
    }
    let mut last = None;
    let mut emitted = 0;
    loop {
        let wanted = (query.max - emitted).saturating_add(1);
        let page = rows(&start, wanted)?;
        let whole = page.len() < wanted;
        let mut hidden: Option<String> = None;
        for object in page {
            if hidden.as_ref().is_some_and(|prefix| object.key.starts_with(prefix)) {
                continue;
            }
            if emitted == query.max {
                return Ok(last);
            }
            emitted += 1;
            hidden = common_prefix(&object.key, query).map(str::to_owned);
            if let Some(prefix) = &hidden {
                last = Some(VersionMarker { key: prefix.clone(), version_id: None });
                start = Start::past(prefix);
                emit(Entry::Prefix(prefix.clone()));
            } else {
                last = Some(VersionMarker {
                    key: object.key.clone(),
                    version_id: Some(object.version_id.clone()),
                });
                start = Start::AfterVersion(object.key.clone().into_bytes(), object.sequence);
                emit(Entry::Object(Box::new(object)));
            }
        }
        if whole || matches!(start, Start::End) {
            return Ok(None);
        }
    }
}

/// What `key` is rolled up to: the prefix, and the rest up to and with the delimiter.
fn common_prefix<'a>(key: &'a str, query: &ListQuery<'_>) -> Option<&'a str> {
    let delimiter = query.delimiter.filter(|delimiter| !delimiter.is_empty())?;
    let rest = key.strip_prefix(query.prefix)?;
    let end = rest.find(delimiter)? + delimiter.len();
    Some(&key[..query.prefix.len() + end])
}

/// The smallest byte string greater than all that begin with `prefix`. The last byte
/// of UTF-8 is never 0xFF.
fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let (last, rest) = prefix.split_last()?;
    let mut bytes = rest.to_vec();
    bytes.push(last.checked_add(1)?);
    Some(bytes)
}

fn latest(
    snapshot: &Transaction<'_>,
    bucket: &str,
    query: &ListQuery<'_>,
    start: &Start,
    count: usize,
) -> Result<Vec<Object>, StoreError> {
    if matches!(start, Start::End) {
        return Ok(Vec::new());
    }
    let mut statement = snapshot.prepare_cached(&format!(
        "SELECT {} FROM objects INDEXED BY objects_latest
         WHERE bucket = ?1 AND latest AND NOT delete_marker
           AND key >= ?2 AND key > ?3 AND (?4 IS NULL OR key < ?4)
         ORDER BY key LIMIT ?5",
        object::COLUMNS
    ))?;
    // Every key is greater than no bytes at all.
    let after = if matches!(start, Start::At(_)) { &[][..] } else { start.key() };
    let rows = statement.query_map(
        params![
            bucket,
            start.key(),
            after,
            successor(query.prefix.as_bytes()),
            i64::try_from(count).unwrap_or(i64::MAX)
        ],
        object::read,
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn versions(
    snapshot: &Transaction<'_>,
    bucket: &str,
    query: &ListQuery<'_>,
    start: &Start,
    count: usize,
) -> Result<Vec<Object>, StoreError> {
    let (after, sequence) = match start {
        Start::At(_) => (&[][..], 0),
        Start::AfterKey(key) => (key.as_slice(), 0),
        Start::AfterVersion(key, sequence) => (key.as_slice(), *sequence),
        Start::End => return Ok(Vec::new()),
    };
    let mut statement = snapshot.prepare_cached(&format!(
        "SELECT {} FROM objects
         WHERE bucket = ?1 AND key >= ?2 AND (key > ?3 OR (key = ?3 AND sequence < ?4))
           AND (?5 IS NULL OR key < ?5)
         ORDER BY key, sequence DESC LIMIT ?6",
        object::COLUMNS
    ))?;
    let rows = statement.query_map(
        params![
            bucket,
            start.key(),
            after,
            sequence,
            successor(query.prefix.as_bytes()),
            i64::try_from(count).unwrap_or(i64::MAX)
        ],
        object::read,
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A marker's version may be gone meanwhile: then the page begins with the next key.
fn sequence_of(
    snapshot: &Transaction<'_>,
    bucket: &str,
    key: &str,
    version: &str,
) -> Result<Option<i64>, StoreError> {
    match object::sequence(snapshot, bucket, key, version) {
        Ok(sequence) => Ok(Some(sequence)),
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

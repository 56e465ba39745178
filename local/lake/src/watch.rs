//! What a statement does to the lake, told to whoever answers for it, before it is done.
//!
//! The lake knows nothing of permissions. A watched lake ([`crate::Lake::watched`]) reports every look at and change of
//! the catalog and the store, and does not do what it is refused.

use std::fmt;
use std::sync::Arc;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    Read,
    List,
    /// The bytes of an object begin to be written; it is not there yet.
    Begin,
    Create,
    Replace,
    Delete,
}

/// To what. Names are as the caller wrote them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Touch<'a> {
    /// Without a name it is all of them.
    Database {
        verb: Verb,
        name: Option<&'a str>,
    },
    /// Without a name it is all of the database's.
    Table {
        verb: Verb,
        database: &'a str,
        name: Option<&'a str>,
    },
    Partition {
        verb: Verb,
        database: &'a str,
        table: &'a str,
    },
    /// `key` is a prefix where objects are listed.
    Object {
        verb: Verb,
        bucket: &'a str,
        key: &'a str,
    },
}

/// The answer to a touch that must not be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// Who watches; nobody at first. Cheap to clone.
#[derive(Clone, Default)]
pub struct Watch(Option<Arc<Watcher>>);

type Watcher = dyn Fn(Touch<'_>) -> Result<(), Refused> + Send + Sync;

impl Watch {
    pub fn new(watcher: impl Fn(Touch<'_>) -> Result<(), Refused> + Send + Sync + 'static) -> Self {
        Watch(Some(Arc::new(watcher)))
    }

    pub(crate) fn touch(&self, touch: Touch<'_>) -> Result<(), Refused> {
        self.0.as_ref().map_or(Ok(()), |watcher| watcher(touch))
    }

    pub(crate) fn database(&self, verb: Verb, name: &str) -> Result<(), Refused> {
        self.touch(Touch::Database { verb, name: Some(name) })
    }

    pub(crate) fn table(&self, verb: Verb, database: &str, name: &str) -> Result<(), Refused> {
        self.touch(Touch::Table { verb, database, name: Some(name) })
    }

    pub(crate) fn partition(&self, verb: Verb, database: &str, table: &str) -> Result<(), Refused> {
        self.touch(Touch::Partition { verb, database, table })
    }

    pub(crate) fn object(&self, verb: Verb, bucket: &str, key: &str) -> Result<(), Refused> {
        self.touch(Touch::Object { verb, bucket, key })
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Watch(somebody)" } else { "Watch(nobody)" })
    }
}

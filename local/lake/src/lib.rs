//! The data of the local AWS: one store (S3 is its bytes), one catalog (Glue is its
//! tables), Athena SQL over both.
//!
//! It stands below the services, which speak AWS's protocols, and knows neither them
//! nor the pipeline. Its state lasts in one data directory, which several processes
//! may use at once.
#![cfg_attr(test, allow(clippy::unwrap_used))]

use std::path::Path;
use std::sync::Arc;

mod age;
pub mod catalog;
pub mod clock;
pub mod database;
pub mod hive;
mod moment;
pub mod s3_url;
mod spill;
pub mod sql;
pub mod store;
mod tables;
pub mod trino;
pub mod watch;

pub use catalog::{Catalog, CatalogError};
pub use database::Database;
pub use s3_url::{S3Url, S3UrlError};
pub use store::{Store, StoreError};
pub use tables::parquet_items;
pub use watch::Watch;

use spill::Spill;

/// Everything of one data directory. Cheap to clone.
#[derive(Clone)]
pub struct Lake {
    pub store: Store,
    pub catalog: Catalog,
    engine: trino::Engine,
    database: Arc<Database>,
    _temporary: Option<Arc<tempfile::TempDir>>,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LakeError {
    #[error("the data directory {path} cannot be made or written")]
    Folder {
        path: std::path::PathBuf,
        #[source]
        source: std::io::Error,
    },
    #[error("the state file {path} cannot be used")]
    Database {
        path: std::path::PathBuf,
        #[source]
        source: rusqlite::Error,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

impl Lake {
    /// Opens a data directory, making it where it is missing: `local.db`,
    /// `objects/` and `spill/` in it.
    pub fn open(dir: &Path) -> Result<Self, LakeError> {
        let spill = Spill::open(&dir.join("spill"))
            .map_err(|source| LakeError::Folder { path: dir.to_owned(), source })?;
        let path = dir.join("local.db");
        let database =
            Arc::new(Database::open(&path).map_err(|source| LakeError::Database { path, source })?);
        Ok(Self {
            store: Store::open(dir, database.clone())?,
            catalog: Catalog::open(database.clone())?,
            engine: trino::Engine::new(spill),
            database,
            _temporary: None,
        })
    }

    /// Opens a new data directory that goes with the last clone of this lake.
    pub fn temporary() -> Result<Self, LakeError> {
        let dir = tempfile::tempdir()
            .map_err(|source| LakeError::Folder { path: std::env::temp_dir(), source })?;
        let lake = Self::open(dir.path())?;
        Ok(Self { _temporary: Some(Arc::new(dir)), ..lake })
    }

    /// The same lake, whose every use somebody hears of first, and may refuse.
    #[must_use]
    pub fn watched(&self, watch: Watch) -> Self {
        Self {
            store: self.store.watched(watch.clone()),
            catalog: self.catalog.watched(watch),
            ..self.clone()
        }
    }

    /// The state file, for the services' own tables ([`Database::install`]).
    pub fn database(&self) -> &Arc<Database> {
        &self.database
    }
}

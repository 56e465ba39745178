//! Who works on something of the data directory, and does that process still live?
//!
//! Every open service holds a lock on a file of its own, `<data-dir>/<folder>/<id>`. The system lets go of it when the
//! process ends, however it ends; so a query or an execution whose owner's file can be locked, or is gone, runs nowhere.
//! (A process id would not do: ids are given again.)

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use lake::Database;
use uuid::Uuid;

use crate::wire::ServiceError;

/// This service's own claim.
pub(crate) struct Owner {
    pub id: String,
    folder: PathBuf,
    _lock: File,
}

impl Owner {
    /// Claims an id of its own; `folder` is that of the service's owners.
    pub fn claim(database: &Database, folder: &str) -> Result<Self, ServiceError> {
        let path = database.read(|transaction| {
            let path = transaction.path().map(PathBuf::from);
            path.ok_or_else(|| ServiceError::internal("the database has no file"))
        })?;
        let folder = path.parent().unwrap_or(Path::new(".")).join(folder);
        let id = Uuid::new_v4().to_string();
        let open = || -> std::io::Result<File> {
            std::fs::create_dir_all(&folder)?;
            let file = File::create(folder.join(&id))?;
            file.lock()?;
            Ok(file)
        };
        let lock = open().map_err(ServiceError::internal)?;
        Ok(Owner { id, folder, _lock: lock })
    }

    /// Whether the owner of this id still runs.
    pub fn is_alive(&self, id: &str) -> bool {
        if id == self.id {
            return true;
        }
        let path = self.folder.join(id);
        let Ok(file) = File::open(&path) else {
            return false;
        };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => true,
            Ok(()) | Err(TryLockError::Error(_)) => {
                // Litter of a process that was killed.
                let _ = std::fs::remove_file(&path);
                false
            }
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(self.folder.join(&self.id));
    }
}

//! Where queries put what does not fit in memory: a folder of this process's own, `<data-dir>/spill/<id>`.
//!
//! Beside it stands a file that this process holds a lock on. The system lets go of the lock when the process ends,
//! however it ends; so a folder whose lock can be had was left by a process that was killed, and goes.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

/// Dropped, it takes its folder away.
#[derive(Debug)]
pub struct Spill {
    folder: PathBuf,
    lock: PathBuf,
    _held: File,
}

impl Spill {
    /// Makes a folder under `root`, and removes those of killed processes.
    pub fn open(root: &Path) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        sweep(root)?;
        let id = Uuid::new_v4().simple().to_string();
        let (folder, lock) = (root.join(&id), root.join(format!("{id}.lock")));
        // The name comes last, so that nobody finds a lock that is not held yet.
        let unnamed = root.join(format!(".{id}"));
        let held = File::create(&unnamed)?;
        held.lock()?;
        fs::rename(unnamed, &lock)?;
        fs::create_dir(&folder)?;
        Ok(Self { folder, lock, _held: held })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        // What stays is the next process's to remove.
        let _ = fs::remove_dir_all(&self.folder);
        let _ = fs::remove_file(&self.lock);
    }
}

fn sweep(root: &Path) -> io::Result<()> {
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        if path.extension().is_none_or(|extension| extension != "lock") {
            continue;
        }
        // One that is gone by now was another process's to remove.
        let Ok(file) = File::open(&path) else { continue };
        if file.try_lock().is_ok() {
            let _ = fs::remove_dir_all(path.with_extension(""));
            let _ = fs::remove_file(&path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: &Path) -> usize {
        fs::read_dir(root).unwrap().count()
    }

    #[test]
    fn folders_of_the_killed_go_and_others_stay() {
        let root = tempfile::tempdir().unwrap();
        let first = Spill::open(root.path()).unwrap();
        fs::write(first.folder().join("rows"), "many").unwrap();
        // As a killed process leaves them: there, with nobody's lock.
        fs::create_dir(root.path().join("killed")).unwrap();
        fs::write(root.path().join("killed/rows"), "more").unwrap();
        fs::write(root.path().join("killed.lock"), "").unwrap();
        let second = Spill::open(root.path()).unwrap();
        assert!(first.folder().join("rows").exists());
        assert!(!root.path().join("killed").exists());
        assert_eq!(names(root.path()), 4);
        drop((first, second));
        assert_eq!(names(root.path()), 0);
    }
}

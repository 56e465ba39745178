//! Results into files: whole or not at all.

use std::fs::{File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::rows::{Format, Rows};

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// The texts of Athena's answer.
    Rows(Format),
    /// Typed, as `UNLOAD` writes them.
    Parquet,
}

/// A file and what it is written as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub path: PathBuf,
    pub format: FileFormat,
}

impl Target {
    /// The format that the file's name tells.
    pub fn by_suffix(path: PathBuf) -> Result<Self, String> {
        let suffix = path.extension().map(|suffix| suffix.to_string_lossy().to_lowercase());
        let format = match suffix.as_deref() {
            Some("csv") => FileFormat::Rows(Format::Csv),
            Some("json") => FileFormat::Rows(Format::Json),
            Some("parquet") => FileFormat::Parquet,
            _ => {
                let path = path.display();
                return Err(format!("{path}: a file's name ends in .csv, .json or .parquet"));
            }
        };
        Ok(Self { path, format })
    }
}

/// Writes rows to a file.
pub fn write_rows(path: &Path, format: Format, rows: &Rows) -> anyhow::Result<()> {
    replace(path, |file| rows.write(format, &mut BufWriter::new(file)).map_err(Into::into))
}

/// Makes a file, which takes the place of one of its name once it is whole. What is no plain file is written as it is.
pub(super) fn replace(
    path: &Path,
    write: impl FnOnce(&mut File) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let named = || format!("{} cannot be written", path.display());
    if path.exists() && !path.is_file() {
        let mut file = File::options().write(true).open(path).with_context(named)?;
        return write(&mut file);
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    // As any new file, it is for whom the umask lets.
    let mut file = tempfile::Builder::new()
        .prefix(".local-sql-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder.unwrap_or(Path::new(".")))
        .with_context(named)?;
    write(file.as_file_mut())?;
    file.as_file_mut().flush()?;
    file.persist(path).map_err(io::Error::from).with_context(named)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        replace(&path, |file| Ok(file.write_all(b"first")?)).unwrap();
        let failed = replace(&path, |file| {
            file.write_all(b"second")?;
            anyhow::bail!("no more")
        });
        assert_eq!(failed.unwrap_err().to_string(), "no more");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "first");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        let nowhere = folder.path().join("missing/rows.csv");
        assert!(
            replace(&nowhere, |_| Ok(())).unwrap_err().to_string().contains("cannot be written")
        );
    }
}

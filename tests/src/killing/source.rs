//! A folder of months, of which each can have either of two contents.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// One of a month's two contents: its own file's, or that of the next month of the same format in the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Content {
    Own,
    Foreign,
}

impl Content {
    pub const ALL: [Self; 2] = [Self::Own, Self::Foreign];

    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::Own => Self::Foreign,
            Self::Foreign => Self::Own,
        }
    }
}

#[derive(Clone, Debug)]
struct Month {
    name: String,
    file: String,
    own: PathBuf,
    /// `None` where no other month has this format: such a month never changes.
    foreign: Option<PathBuf>,
}

/// The months of one data set. Files of `from` are read and never written.
#[derive(Clone, Debug)]
pub struct Source {
    months: Vec<Month>,
}

impl Source {
    /// Takes `<dataset>_tripdata_<YYYY-MM>.<extension>`, of several formats of a month Parquet.
    ///
    /// Errors: fewer than two files of one format, which could not change.
    pub fn of(from: &Path, dataset: &str) -> anyhow::Result<Self> {
        let mut files = BTreeMap::<String, (String, PathBuf)>::new();
        let listed = fs::read_dir(from).with_context(|| format!("{}", from.display()))?;
        for entry in listed {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let rest = name.strip_prefix(dataset).and_then(|name| name.strip_prefix("_tripdata_"));
            let Some((month, extension)) = rest.and_then(|rest| rest.split_once('.')) else {
                continue;
            };
            if extension == "parquet" || !files.contains_key(month) {
                files.insert(month.to_owned(), (name, path));
            }
        }
        let extension = |name: &str| name.split_once('.').map(|(_, rest)| rest.to_owned());
        let months: Vec<Month> = files
            .iter()
            .map(|(month, (file, own))| {
                let alike = |other: &&(String, PathBuf)| {
                    extension(&other.0) == extension(file) && other.1 != *own
                };
                let later = files.range::<String, _>(month..).map(|(_, other)| other);
                let foreign = later.chain(files.values()).find(alike);
                Month {
                    name: month.clone(),
                    file: file.clone(),
                    own: own.clone(),
                    foreign: foreign.map(|(_, path)| path.clone()),
                }
            })
            .collect();
        anyhow::ensure!(
            months.iter().any(|month| month.foreign.is_some()),
            "expected two months of {dataset} or more in {}, found {}",
            from.display(),
            months.len()
        );
        Ok(Self { months })
    }

    /// The months' names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.months.iter().map(|month| month.name.as_str())
    }

    /// The months that can change, by their numbers.
    pub fn changeable(&self) -> Vec<usize> {
        let months = self.months.iter().enumerate();
        months.filter(|(_, month)| month.foreign.is_some()).map(|(number, _)| number).collect()
    }

    /// Makes a content the month's file in `folder`, at once.
    pub fn put(&self, folder: &Path, month: usize, content: Content) -> anyhow::Result<()> {
        let month = &self.months[month];
        let bytes = match content {
            Content::Own => &month.own,
            Content::Foreign => month.foreign.as_ref().unwrap_or(&month.own),
        };
        let unfinished = folder.join(".unfinished");
        fs::write(&unfinished, fs::read(bytes)?)?;
        fs::rename(unfinished, folder.join(&month.file))?;
        Ok(())
    }

    /// Fills `folder` with one content of all months.
    pub fn put_all(&self, folder: &Path, content: Content) -> anyhow::Result<()> {
        fs::create_dir_all(folder)?;
        (0..self.months.len()).try_for_each(|month| self.put(folder, month, content))
    }
}

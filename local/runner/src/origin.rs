//! Where a run's months come from, and what the stack is told about it.
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use thiserror::Error;

use crate::sample::{self, SampleError};
use crate::source::{Folder, FolderError, Source};
use crate::tlc::{Dataset, Month, TripFile};

/// `--from`
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// The built-in sample.
    Sample,
    /// The TLC's own site.
    Tlc,
    /// A folder of files by the TLC's names.
    Dir(PathBuf),
}

impl FromStr for From {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "sample" => Self::Sample,
            "tlc" => Self::Tlc,
            dir => Self::Dir(PathBuf::from(dir)),
        })
    }
}

/// A source that is ready to be asked.
#[derive(Debug)]
pub struct Origin {
    source: Option<Source>,
    /// The months of a folder; `None` for the TLC, which has no listing.
    months: Option<Vec<(Dataset, Month)>>,
    /// A file kept back from the source, to be put under `arrivals/`.
    arrival: Option<(TripFile, PathBuf)>,
    notes: Vec<String>,
}

#[derive(Debug, Error)]
pub enum OriginError {
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Sample(#[from] SampleError),
    #[error("the source cannot answer on 127.0.0.1")]
    Port(#[source] std::io::Error),
}

impl Origin {
    /// Starts what `--from` names. Of the sample one month that `keep` takes is kept back for
    /// the arrival trigger, when it takes more than one. The sample's files last in the data
    /// directory.
    pub async fn start(
        from: &From,
        data_dir: &Path,
        keep: impl Fn(Dataset, Month) -> bool,
    ) -> Result<Self, OriginError> {
        let builtin = data_dir.join("sample").join(format!("v{}", sample::VERSION));
        let dir = match from {
            From::Tlc => {
                return Ok(Self { source: None, months: None, arrival: None, notes: Vec::new() });
            }
            From::Dir(dir) => dir.clone(),
            From::Sample => {
                let folder = builtin.clone();
                let written = tokio::task::spawn_blocking(move || {
                    sample::write_all(&folder, &sample::files())
                })
                .await;
                written.expect("writing the sample does not panic")?;
                builtin.clone()
            }
        };
        let mut folder = Folder::scan(&dir, &builtin)?;
        let notes = folder.notes().to_vec();
        let months: Vec<_> = folder.trips().map(|(file, _)| (file.dataset, file.month)).collect();
        let mut arrival = None;
        let taken: Vec<_> =
            months.iter().copied().filter(|(dataset, month)| keep(*dataset, *month)).collect();
        if *from == From::Sample && taken.len() > 1 {
            // A green month where there is one: the smallest files.
            let kept =
                taken.iter().rev().find(|(dataset, _)| *dataset == Dataset::Green).or(taken.last());
            arrival = kept.and_then(|(dataset, month)| folder.withdraw(*dataset, *month));
        }
        let source = Source::start(Arc::new(folder)).await.map_err(OriginError::Port)?;
        Ok(Self { source: Some(source), months: Some(months), arrival, notes })
    }

    /// What was passed over, a line each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The months at hand; `None` when only the source itself can tell.
    pub fn months(&self) -> Option<&[(Dataset, Month)]> {
        self.months.as_deref()
    }

    pub fn arrival(&self) -> Option<&(TripFile, PathBuf)> {
        self.arrival.as_ref()
    }

    /// The template's parameters that differ from a deployment on AWS.
    pub fn parameters(&self) -> BTreeMap<String, String> {
        let mut parameters = BTreeMap::from([("Stage".to_owned(), "local".to_owned())]);
        if let Some(source) = &self.source {
            parameters.insert("SourceUrl".to_owned(), source.url());
            parameters.insert("SourceFormats".to_owned(), "parquet,csv.gz,csv".to_owned());
        }
        let oldest = self.months.iter().flatten().map(|(_, month)| *month).min();
        if let Some(oldest) = oldest {
            // So that the schedule finds every month of the folder.
            let today = jiff::Zoned::now().date();
            let first = oldest.first_day();
            let months = (i32::from(today.year()) - i32::from(first.year())) * 12
                + i32::from(today.month())
                - i32::from(first.month());
            parameters.insert("LookbackMonths".to_owned(), (months + 1).clamp(1, 240).to_string());
        }
        parameters
    }
}

//! What the source has of the months that are asked for.
//!
//! 403 says "not published" or "you ask too much", and nothing in the answer tells which. Two
//! things do: a file that is certainly published (the zone lookup, or any that answered in the
//! same survey) answers 200 to whoever may ask; and a month older than one that is published, or
//! live in the ledger, should be there. So while the certain file answers, a 403 means "not
//! published": at once for a month newer than all that are published, when it is repeated for an
//! older one, and only in the last round for one that has been loaded from there.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use shared::dataset::{Dataset, DatasetName};
use shared::event::{FileFormat, Source};
use shared::month::Month;

use crate::source::{Answer, Site, SourceError};

/// Requests at once. The TLC's site limits clients that ask more.
const CONCURRENCY: usize = 8;
/// Rounds of asking again after a doubtful 403.
const ROUNDS: u32 = 4;

/// The file of every month that was looked for.
pub type Found = BTreeMap<Wanted, Option<Source>>;

/// A month of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wanted {
    pub dataset: DatasetName,
    pub month: Month,
}

/// What is asked of a source, and in which formats.
pub struct Survey<'a> {
    pub site: &'a Site,
    pub contracts: &'a [Dataset],
    /// In the order of preference.
    pub formats: &'a [FileFormat],
    /// Months that were loaded from this source: they have been published once.
    pub live: &'a BTreeSet<Wanted>,
    /// The path of a file that is always published.
    pub certain: Option<String>,
}

enum Sighting {
    Published(Source),
    Missing,
    Doubtful,
}

impl Survey<'_> {
    /// The file of every month of `wanted`, or none where nothing is published.
    pub async fn run(&self, wanted: BTreeSet<Wanted>) -> Result<Found, SourceError> {
        let mut found = Found::new();
        let mut open = wanted;
        let mut pause = self.site.first_pause();
        for round in 0..ROUNDS {
            let mut doubtful = BTreeSet::new();
            for (wanted, sighting) in self.look(open).await? {
                match sighting {
                    Sighting::Published(source) => {
                        found.insert(wanted, Some(source));
                    }
                    Sighting::Missing => {
                        found.insert(wanted, None);
                    }
                    Sighting::Doubtful => {
                        doubtful.insert(wanted);
                    }
                }
            }
            if doubtful.is_empty() {
                return Ok(found);
            }
            let served = found.values().any(Option::is_some) || self.is_served().await?;
            let settled = |wanted: &Wanted| {
                let enough = if self.live.contains(wanted) {
                    ROUNDS - 1
                } else {
                    u32::from(!is_newest(*wanted, &found))
                };
                served && round >= enough
            };
            let (absent, rest): (BTreeSet<_>, BTreeSet<_>) =
                doubtful.into_iter().partition(settled);
            found.extend(absent.into_iter().map(|wanted| (wanted, None)));
            if rest.is_empty() {
                return Ok(found);
            }
            open = rest;
            tokio::time::sleep(pause).await;
            pause *= 2;
        }
        let first = open.first().expect("something is open still");
        let path = self.paths(*first).next().unwrap_or_default();
        Err(SourceError::Throttled { place: self.site.url(&path), status: 403 })
    }

    /// The file of a month at a single glance; a doubtful answer is none.
    pub async fn look_once(&self, wanted: Wanted) -> Result<Option<Source>, SourceError> {
        Ok(match self.look_at(wanted).await? {
            Sighting::Published(source) => Some(source),
            Sighting::Missing | Sighting::Doubtful => None,
        })
    }

    async fn look(&self, wanted: BTreeSet<Wanted>) -> Result<Vec<(Wanted, Sighting)>, SourceError> {
        let looks = wanted
            .into_iter()
            .map(|wanted| async move { Ok((wanted, self.look_at(wanted).await?)) });
        let sightings = futures::stream::iter(looks).buffer_unordered(CONCURRENCY);
        sightings.collect::<Vec<_>>().await.into_iter().collect()
    }

    /// The first format that is there.
    async fn look_at(&self, wanted: Wanted) -> Result<Sighting, SourceError> {
        let mut sighting = Sighting::Missing;
        for path in self.paths(wanted) {
            match self.site.head(&path).await? {
                Answer::Published(source) => return Ok(Sighting::Published(source)),
                Answer::Missing => {}
                Answer::Forbidden => sighting = Sighting::Doubtful,
            }
        }
        Ok(sighting)
    }

    fn paths(&self, wanted: Wanted) -> impl Iterator<Item = String> {
        let contract = self.contracts.iter().find(|contract| contract.name == wanted.dataset);
        // The lookup is CSV, whatever format the trips are asked for in.
        let undated = wanted.month == Month::Current;
        let formats = if undated { FileFormat::ALL.as_slice() } else { self.formats };
        contract.into_iter().flat_map(move |contract| {
            formats.iter().filter_map(move |format| contract.source_path(wanted.month, *format))
        })
    }

    /// Does the source answer us at all? A 404 too is an answer: it is not the limit.
    async fn is_served(&self) -> Result<bool, SourceError> {
        let Some(certain) = &self.certain else { return Ok(false) };
        Ok(!matches!(self.site.head(certain).await?, Answer::Forbidden))
    }
}

/// Is no later month of the data set published?
fn is_newest(wanted: Wanted, found: &Found) -> bool {
    !found.iter().any(|(other, source)| {
        other.dataset == wanted.dataset && other.month > wanted.month && source.is_some()
    })
}

//! Lives, one after another.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

use super::book::{Book, Rows, Tally};
use super::reader::Reader;
use super::source::{Content, Source};
use super::victim::{Aim, Place, Victim, bury, undisturbed};

/// Between two looks of the reader.
const PAUSE: Duration = Duration::from_millis(20);

/// What to try.
#[derive(Clone, Debug)]
pub struct Trial {
    pub program: PathBuf,
    pub root: PathBuf,
    pub from: PathBuf,
    pub dataset: String,
    /// Kills in all, and in one life.
    pub times: usize,
    pub kills_per_life: usize,
    pub seed: u64,
}

/// What runs that nobody disturbed have published, and how long they took.
#[derive(Debug)]
pub struct Reference {
    source: Source,
    /// By month, of both contents.
    pub rows: Vec<[Rows; 2]>,
    /// `rows_in`, `rows_out` and `rows_rejected` of all months' own contents.
    pub counts: [u64; 3],
    /// A run that finds nothing new, and what a month adds to it.
    pub idle: Duration,
    pub month: Duration,
}

/// A kill.
#[derive(Clone, Copy, Debug)]
pub struct Kill {
    pub moment: Duration,
    /// Where in the run it was, by how long such a run was expected to take.
    pub share: f64,
    pub aim: Aim,
    pub has_changed: bool,
    /// Months the run had to load.
    pub pending: usize,
}

/// What became of a life.
#[derive(Debug)]
pub struct Life {
    pub kills: Vec<Kill>,
    /// Runs that came to their end before their moment.
    pub spared: usize,
    pub changes: usize,
    pub tally: Tally,
    pub last_run: Duration,
    pub violations: Vec<String>,
}

impl Trial {
    fn place(&self, folder: &Path, name: &str) -> Place {
        Place {
            program: self.program.clone(),
            root: self.root.clone(),
            source: folder.join(format!("{name}-source")),
            dataset: self.dataset.clone(),
            data: folder.join(name),
        }
    }

    /// Runs both contents of all months without a kill.
    pub async fn reference(&self, folder: &Path) -> anyhow::Result<Reference> {
        let source = Source::of(&self.from, &self.dataset)?;
        let mut rows = Vec::new();
        let mut times = Vec::new();
        let mut counts = [0; 3];
        for content in Content::ALL {
            let place = self.place(folder, &format!("{content:?}").to_lowercase());
            source.put_all(&place.source, content)?;
            let (report, duration) = undisturbed(&place).await?;
            if content == Content::Own {
                counts = counts_of(&report);
            }
            let (_, idle) = undisturbed(&place).await?;
            times.push((duration, idle));
            rows.push(self.published(&source, &place.data).await?);
            bury(&place.data)?;
        }
        let foreign = rows.pop().context("two contents")?;
        let own = rows.pop().context("two contents")?;
        let rows: Vec<[Rows; 2]> = own.into_iter().zip(foreign).map(Into::into).collect();
        for number in source.changeable() {
            let [own, foreign] = &rows[number];
            anyhow::ensure!(own.figures != foreign.figures, "two contents look the same: {own:?}");
        }
        let (full, idle) = times[0];
        let months = u32::try_from(rows.len())?;
        Ok(Reference { source, rows, counts, idle, month: full.saturating_sub(idle) / months })
    }

    /// All rows of all months.
    async fn published(&self, source: &Source, data: &Path) -> anyhow::Result<Vec<Rows>> {
        let reader = Reader::start(&self.program, data, &self.dataset).await?;
        let look = reader.look().await?.context("nothing is published")?;
        let mut rows = Vec::new();
        for month in source.names() {
            let figures = look.get(month).with_context(|| format!("{month} is not published"))?;
            rows.push(reader.rows(month, *figures).await?);
        }
        Ok(rows)
    }

    /// Kills in one data directory, and at last a run to the end. The number of a life is part of its seed.
    pub async fn life(
        &self,
        reference: &Reference,
        number: u64,
        kills: usize,
    ) -> anyhow::Result<Life> {
        let folder = tempfile::tempdir()?;
        let place = self.place(folder.path(), "data");
        reference.source.put_all(&place.source, Content::Own)?;
        std::fs::create_dir(&place.data)?;
        let figures = |rows: &[Rows; 2]| rows.each_ref().map(|rows| rows.figures);
        let months = reference.source.names().map(str::to_owned);
        let book = Book::new(months.zip(reference.rows.iter().map(figures)));
        let book = Arc::new(Mutex::new(book));
        let reader = Reader::start(&self.program, &place.data, &self.dataset).await?;
        let looking = tokio::spawn(watch(reader, book.clone()));
        let mut life = Life {
            kills: Vec::new(),
            spared: 0,
            changes: 0,
            tally: Tally::default(),
            last_run: Duration::ZERO,
            violations: Vec::new(),
        };
        let mut dice = fastrand::Rng::with_seed(self.seed.wrapping_mul(1_000_003) + number);
        let mut round = 0;
        while life.kills.len() < kills {
            // Also a run that is spared is a round: its life goes on with another change.
            self.round(&place, reference, &book, &mut dice, round, &mut life).await?;
            round += 1;
        }
        let (report, duration) = undisturbed(&place).await?;
        life.last_run = duration;
        looking.abort();
        let reader = Reader::start(&self.program, &place.data, &self.dataset).await?;
        let look = reader.look().await?;
        lock(&book).look(look);
        life.violations.extend(self.differences(&place, reference, &book, &report).await?);
        let mut book = lock(&book);
        life.violations.append(&mut book.violations);
        life.tally = std::mem::take(&mut book.tally);
        Ok(life)
    }

    async fn round(
        &self,
        place: &Place,
        reference: &Reference,
        book: &Mutex<Book>,
        dice: &mut fastrand::Rng,
        round: usize,
        life: &mut Life,
    ) -> anyhow::Result<()> {
        let has_changed = round % 2 == 1;
        if has_changed {
            let months = reference.source.changeable();
            let month = months[dice.usize(..months.len())];
            let content = lock(book).change(month);
            reference.source.put(&place.source, month, content)?;
            life.changes += 1;
        }
        let pending = lock(book).pending();
        let expected = reference.idle + reference.month * u32::try_from(pending)?;
        let share = dice.f64();
        let moment = expected.mul_f64(share);
        let aim = if dice.bool() { Aim::Everything } else { Aim::Runner };
        if Victim::start(place)?.kill(moment, aim).await? {
            life.kills.push(Kill { moment, share, aim, has_changed, pending });
        } else {
            life.spared += 1;
        }
        Ok(())
    }

    /// What the last run left otherwise than undisturbed runs do.
    async fn differences(
        &self,
        place: &Place,
        reference: &Reference,
        book: &Mutex<Book>,
        report: &Value,
    ) -> anyhow::Result<Vec<String>> {
        let found = self.published(&reference.source, &place.data).await?;
        let mut differences = Vec::new();
        let book = lock(book);
        for (number, (month, found)) in reference.source.names().zip(found).enumerate() {
            let expected = &reference.rows[number][book.present(number) as usize];
            if *expected != found {
                differences.push(format!("{month}: expected {expected:?}, found {found:?}"));
            }
        }
        let counts = counts_of(report);
        if counts[0] != counts[1] + counts[2] {
            differences.push(format!("the last run's rows do not add up: {counts:?}"));
        }
        Ok(differences)
    }
}

/// Looks at the view for ever.
async fn watch(reader: Reader, book: Arc<Mutex<Book>>) {
    loop {
        match reader.look().await {
            Ok(look) => lock(&book).look(look),
            Err(error) => {
                lock(&book).violations.push(format!("the reader's query failed: {error:#}"));
            }
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn counts_of(report: &Value) -> [u64; 3] {
    let sum = |name: &str| {
        let loads = report["loads"].as_array().into_iter().flatten();
        loads.filter_map(|load| load[name].as_u64()).sum()
    };
    ["rows_in", "rows_out", "rows_rejected"].map(sum)
}

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

//! What a reader may see, and what it has seen.

use std::collections::{BTreeMap, BTreeSet};

use super::source::Content;

/// What one look tells of a month: how many rows, and what all of them cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Figures {
    pub rows: u64,
    pub cents: i64,
}

/// All rows of a month, good and rejected, whatever their order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    pub figures: Figures,
    pub good: Digest,
    pub rejected: Digest,
}

/// How many lines, and a sum of their hashes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    pub lines: u64,
    pub sum: u128,
}

/// A look at the view; `None` where there is none.
pub type Look = Option<BTreeMap<String, Figures>>;

/// A month's contents since the beginning of a life, and how far the reader has come.
#[derive(Clone, Debug)]
struct Track {
    name: String,
    expected: [Figures; 2],
    contents: Vec<Content>,
    seen: Option<usize>,
}

/// How often the reader saw what.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub polls: u64,
    /// Polls before the first publish, which found no view.
    pub without_view: u64,
    /// Months by poll: not there, the file's present content, an earlier one.
    pub absent: u64,
    pub present: u64,
    pub earlier: u64,
    /// Different states of the whole view.
    pub states: BTreeSet<Vec<Option<Content>>>,
}

#[derive(Debug)]
pub struct Book {
    months: Vec<Track>,
    pub tally: Tally,
    pub violations: Vec<String>,
    had_view: bool,
}

impl Book {
    /// Months with the figures of their contents, of which the first is the file's.
    pub fn new(months: impl IntoIterator<Item = (String, [Figures; 2])>) -> Self {
        let track =
            |(name, expected)| Track { name, expected, contents: vec![Content::Own], seen: None };
        Self {
            months: months.into_iter().map(track).collect(),
            tally: Tally::default(),
            violations: Vec::new(),
            had_view: false,
        }
    }

    /// From now on a month's file has its other content. Answers which.
    pub fn change(&mut self, month: usize) -> Content {
        let content = self.present(month).other();
        self.months[month].contents.push(content);
        content
    }

    /// The present content of a month's file.
    pub fn present(&self, month: usize) -> Content {
        *self.months[month].contents.last().expect("a month begins with a content")
    }

    /// Months whose present content the reader has not seen.
    pub fn pending(&self) -> usize {
        let is_shown = |track: &&Track| {
            track.seen.is_some_and(|seen| {
                track.contents[seen] == track.contents[track.contents.len() - 1]
            })
        };
        self.months.len() - self.months.iter().filter(is_shown).count()
    }

    /// Writes down what the view shows, and whatever must not be.
    pub fn look(&mut self, look: Look) {
        self.tally.polls += 1;
        let Some(mut look) = look else {
            self.tally.without_view += 1;
            if self.had_view {
                self.violations.push("the view is gone".to_owned());
            }
            return;
        };
        self.had_view = true;
        let mut state = Vec::new();
        for track in &mut self.months {
            match track.show(look.remove(&track.name)) {
                Ok(shown) => {
                    state.push(shown);
                    match shown {
                        None => self.tally.absent += 1,
                        Some(shown) if Some(&shown) == track.contents.last() => {
                            self.tally.present += 1;
                        }
                        Some(_) => self.tally.earlier += 1,
                    }
                }
                Err(violation) => self.violations.push(violation),
            }
        }
        self.tally.states.insert(state);
        let unknown = look.into_iter().map(|(name, found)| format!("{name}: {found:?} of nowhere"));
        self.violations.extend(unknown);
    }
}

impl Track {
    /// The content that a look shows: one the file has had since the last look's.
    fn show(&mut self, found: Option<Figures>) -> Result<Option<Content>, String> {
        let Some(found) = found else {
            return match self.seen {
                None => Ok(None),
                Some(_) => Err(format!("{}: its rows are gone", self.name)),
            };
        };
        let first = self.seen.unwrap_or(0);
        let shown = (first..self.contents.len())
            .find(|index| self.expected[self.contents[*index] as usize] == found);
        match shown {
            Some(index) => {
                self.seen = Some(index);
                Ok(Some(self.contents[index]))
            }
            None => Err(format!(
                "{}: {found:?}, expected {:?}, of contents {:?} since number {first}",
                self.name, self.expected, self.contents
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(rows: u64) -> Figures {
        Figures { rows, cents: 7 }
    }

    fn shows(rows: u64) -> Look {
        Some(BTreeMap::from([("2024-01".to_owned(), figures(rows))]))
    }

    fn book() -> Book {
        Book::new([("2024-01".to_owned(), [figures(10), figures(20)])])
    }

    #[test]
    fn a_month_is_absent_then_old_then_new() {
        let mut book = book();
        book.look(None);
        book.look(Some(BTreeMap::new()));
        book.look(shows(10));
        assert_eq!(book.pending(), 0);
        book.change(0);
        assert_eq!(book.pending(), 1);
        book.look(shows(10));
        book.look(shows(20));
        assert!(book.violations.is_empty(), "{:?}", book.violations);
        assert_eq!((book.tally.polls, book.tally.without_view, book.tally.earlier), (5, 1, 1));
    }

    #[test]
    fn what_must_not_be_seen_is_written_down() {
        for wrong in [shows(9), shows(30), shows(20), None, Some(BTreeMap::new())] {
            let mut book = book();
            book.look(shows(10));
            book.look(wrong.clone());
            assert_eq!(book.violations.len(), 1, "{wrong:?}");
        }
        let mut book = book();
        book.change(0);
        book.look(shows(20));
        book.look(shows(10));
        assert_eq!(book.violations.len(), 1, "a month went back");
    }
}

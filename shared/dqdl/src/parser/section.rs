//! What stands before the rules: metadata, data sources, variables, labels.

use super::{Parsed, Parser, Quoted, TEXT_WORDS, Variable, inner};
use crate::labels;
use crate::problem::Problem;
use crate::ruleset::Ruleset;

impl<'a> Parser<'a> {
    pub(super) fn metadata(&mut self, ruleset: &mut Ruleset) -> Parsed<()> {
        for (key, value) in self.dictionary()? {
            let (Entry::Text(value), "Version") = (value, key.value.as_str()) else {
                let message = format!(
                    "Metadata has one key, \"Version\", and a text for it; found {}",
                    key.written
                );
                return Err(Problem { place: key.place, message });
            };
            ruleset.metadata.push(("Version".to_owned(), value));
        }
        Ok(())
    }

    pub(super) fn data_sources(&mut self, ruleset: &mut Ruleset) -> Parsed<()> {
        for (key, value) in self.dictionary()? {
            match (key.value.as_str(), value) {
                ("Primary", Entry::Text(name)) => ruleset.primary = Some(name),
                ("AdditionalDataSources", Entry::Texts(names)) => {
                    ruleset.additional_data_sources = names;
                }
                _ => {
                    let message = format!(
                        "DataSources has \"Primary\" with a text and \"AdditionalDataSources\" with a list; found {}",
                        key.written
                    );
                    return Err(Problem { place: key.place, message });
                }
            }
        }
        Ok(())
    }

    /// `= { "key": "text", "key": ["text"] }`, without the keyword before it.
    fn dictionary(&mut self) -> Parsed<Vec<(Quoted<'a>, Entry)>> {
        self.next();
        self.expect("=")?;
        self.expect("{")?;
        let mut pairs = Vec::new();
        loop {
            let key = self.quoted("a key in quotes")?;
            self.expect(":")?;
            let value = if self.accept("[") {
                let mut texts = Vec::new();
                loop {
                    texts.push(self.quoted("a text in quotes")?.value);
                    if !self.accept(",") {
                        break;
                    }
                }
                self.expect("]")?;
                Entry::Texts(texts)
            } else {
                Entry::Text(self.quoted("a text in quotes or a list of such")?.value)
            };
            pairs.push((key, value));
            if !self.accept(",") {
                break;
            }
        }
        self.expect("}")?;
        Ok(pairs)
    }

    /// `name = "text"` or `name = ["text", "text"]`.
    pub(super) fn variable(&mut self) -> Parsed<()> {
        let name = self.next();
        let wrong = |message: String| Err(Problem { place: name.place, message });
        self.expect("=")?;
        let value = if self.accept("[") {
            let mut texts = Vec::new();
            loop {
                texts.push(self.variable_text(name.text)?);
                if !self.accept(",") {
                    break;
                }
            }
            self.expect("]")?;
            Variable::Texts(texts)
        } else {
            Variable::Text(self.variable_text(name.text)?)
        };
        if name.text.starts_with(['.', '_']) {
            return wrong(format!("the variable {} begins with . or _", name.text));
        }
        if self.variables.insert(name.text.to_owned(), value).is_some() {
            return wrong(format!("the variable {} is there twice", name.text));
        }
        Ok(())
    }

    fn variable_text(&mut self, name: &str) -> Parsed<String> {
        let place = self.peek().place;
        let nested = || {
            let message =
                format!("the variable {name} is made of another one: write its value out");
            Err(Problem { place, message })
        };
        if self.peek().is("$") {
            return nested();
        }
        if self.accept_any(&TEXT_WORDS).is_some() {
            let message = format!("the variable {name} must be a text or a list of texts");
            return Err(Problem { place, message });
        }
        let text = self.quoted("a text in quotes")?;
        let inner = inner(text.written);
        let refers = inner.match_indices('$').any(|(at, _)| {
            inner[at + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        });
        if refers { nested() } else { Ok(text.value) }
    }

    pub(super) fn default_labels(&mut self) -> Parsed<()> {
        self.next();
        self.default_labels = self.labels()?;
        Ok(())
    }

    /// `= ["key"="value"]`, without the keyword before it.
    pub(super) fn labels(&mut self) -> Parsed<Vec<(String, String)>> {
        self.expect("=")?;
        let place = self.peek().place;
        self.expect("[")?;
        let mut pairs = Vec::new();
        while !self.peek().is("]") {
            let key = self.quoted("a label's key in quotes")?.value;
            self.expect("=")?;
            let value = self.quoted("a label's value in quotes")?.value;
            pairs.push((key, value));
            if !self.accept(",") {
                break;
            }
            if self.peek().is("]") {
                return Err(self.unexpected("a label's key in quotes"));
            }
        }
        self.expect("]")?;
        let wrong = labels::written(&pairs);
        if !wrong.is_empty() {
            return Err(Problem { place, message: wrong.join("; ") });
        }
        Ok(pairs)
    }
}

/// A value of a dictionary.
enum Entry {
    Text(String),
    Texts(Vec<String>),
}

//! A ruleset as it was written, and its canonical form.

use std::fmt;

use crate::condition::{Comparison, Condition};
use crate::number::Number;
use crate::problem::{Place, Problem};
use crate::rule_type::RuleType;

/// A ruleset: what should hold for a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ruleset {
    /// `Version` is the only key.
    pub metadata: Vec<(String, String)>,
    /// The table the rules are about, by the name it has in the catalog.
    pub primary: Option<String>,
    /// Other tables that rules may refer to.
    pub additional_data_sources: Vec<String>,
    pub rules: Vec<Rule>,
    pub analyzers: Vec<Analyzer>,
    /// What is accepted, and yet is likely not meant.
    pub warnings: Vec<Problem>,
}

/// A rule: something measured, and what it is held against; or several, composed.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub place: Place,
    pub body: Body,
    /// Its labels and the ruleset's default ones.
    pub labels: Vec<Label>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    Check(Check),
    Composite { connective: Connective, rules: Vec<Rule> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connective {
    And,
    Or,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub key: String,
    pub value: String,
    /// It comes from `DefaultLabels`.
    pub by_default: bool,
}

/// One thing that is measured, and its condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    pub rule_type: RuleType,
    pub parameters: Vec<Parameter>,
    pub condition: Option<Condition>,
    /// `where`: SQL that chooses the rows.
    pub filter: Option<String>,
    /// `with threshold`: on the share of rows, 0 to 1.
    pub threshold: Option<Comparison<Number>>,
    /// `with name = value`, by name; the value as it is printed.
    pub tags: Vec<Tag>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tag {
    pub name: String,
    pub value: String,
    /// It is a text, not a number.
    pub quoted: bool,
}

/// A rule type whose metric is gathered without being judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Analyzer {
    pub place: Place,
    pub rule_type: RuleType,
    pub parameters: Vec<Parameter>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// `of` or `and` before it.
    pub connector: Option<&'static str>,
    /// As it is printed: a text with its quotes, a name without, a variable as `$name`.
    pub written: String,
    /// What it says.
    pub value: String,
}

impl Rule {
    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.labels.iter().find(|label| label.key == key).map(|label| label.value.as_str())
    }

    /// Its check, or those it is composed of.
    pub fn checks(&self) -> Vec<&Check> {
        match &self.body {
            Body::Check(check) => vec![check],
            Body::Composite { rules, .. } => rules.iter().flat_map(Self::checks).collect(),
        }
    }
}

impl Check {
    /// The value of parameter `index`. Signatures say how many there are.
    pub fn parameter(&self, index: usize) -> &str {
        self.parameters.get(index).map_or("", |parameter| parameter.value.as_str())
    }

    /// Whether it looks at what its metric was before.
    pub fn needs_history(&self) -> bool {
        let dynamic = match &self.condition {
            Some(Condition::Number(comparison)) => {
                comparison.operands.iter().any(Number::needs_history)
            }
            _ => false,
        };
        dynamic || self.rule_type == RuleType::DetectAnomalies
    }

    pub fn tag(&self, name: &str) -> Option<&str> {
        self.tags.iter().find(|tag| tag.name == name).map(|tag| tag.value.as_str())
    }
}

impl fmt::Display for Ruleset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut sections = Vec::new();
        if !self.metadata.is_empty() {
            let pairs =
                self.metadata.iter().map(|(key, value)| format!("    \"{key}\": \"{value}\""));
            sections.push(format!("Metadata = {{\n{}\n}}", pairs.collect::<Vec<_>>().join(",\n")));
        }
        let mut sources = Vec::new();
        if let Some(primary) = &self.primary {
            sources.push(format!("    \"Primary\": \"{primary}\""));
        }
        if !self.additional_data_sources.is_empty() {
            let names = self.additional_data_sources.iter().map(|name| format!("\"{name}\""));
            let names = names.collect::<Vec<_>>().join(", ");
            sources.push(format!("    \"AdditionalDataSources\": [ {names} ]"));
        }
        if !sources.is_empty() {
            sections.push(format!("DataSources = {{\n{}\n}}", sources.join(",\n")));
        }
        sections.extend(list("Rules", &self.rules));
        sections.extend(list("Analyzers", &self.analyzers));
        f.write_str(&sections.join("\n\n"))
    }
}

fn list(name: &str, items: &[impl fmt::Display]) -> Option<String> {
    let lines: Vec<_> = items.iter().map(|item| format!("    {item}")).collect();
    (!lines.is_empty()).then(|| format!("{name} = [\n{}\n]", lines.join(",\n")))
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.body {
            Body::Check(check) => {
                check.fmt(f)?;
                let own = self.labels.iter().filter(|label| !label.by_default);
                let own: Vec<_> = own.map(|l| format!("\"{}\"=\"{}\"", l.key, l.value)).collect();
                if own.is_empty() { Ok(()) } else { write!(f, " labels=[{}]", own.join(", ")) }
            }
            Body::Composite { connective, rules } => {
                let rules: Vec<_> = rules.iter().map(|rule| format!("({rule})")).collect();
                let connective = match connective {
                    Connective::And => " AND ",
                    Connective::Or => " OR ",
                };
                f.write_str(&rules.join(connective))
            }
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.rule_type, Parameters(&self.parameters))?;
        if let Some(condition) = &self.condition {
            write!(f, " {condition}")?;
        }
        if let Some(filter) = &self.filter {
            write!(f, " where \"{filter}\"")?;
        }
        if let Some(threshold) = &self.threshold {
            write!(f, " with threshold {threshold}")?;
        }
        for tag in &self.tags {
            if tag.quoted {
                write!(f, " with {} = \"{}\"", tag.name, tag.value)?;
            } else {
                write!(f, " with {} = {}", tag.name, tag.value)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Analyzer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.rule_type, Parameters(&self.parameters))
    }
}

struct Parameters<'a>(&'a [Parameter]);

impl fmt::Display for Parameters<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for parameter in self.0 {
            match parameter.connector {
                Some(word) => write!(f, " {word} {}", parameter.written)?,
                None => write!(f, " {}", parameter.written)?,
            }
        }
        Ok(())
    }
}

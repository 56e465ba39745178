//! The rule types of the language and their signatures.
//!
//! Source: the rule configuration of Glue's open parser, 1.0.3: 33 names in 39 signatures. `AllStatistics` is an
//! analyzer only.

use std::fmt;
use std::str::FromStr;

/// What a rule measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RuleType {
    RowCount,
    RowCountMatch,
    ColumnCount,
    Completeness,
    IsComplete,
    ColumnDataType,
    ColumnNamesMatchPattern,
    ColumnExists,
    ColumnCorrelation,
    Uniqueness,
    IsUnique,
    Mean,
    Sum,
    StandardDeviation,
    Variance,
    Entropy,
    DistinctValuesCount,
    UniqueValueRatio,
    ColumnLength,
    IsPrimaryKey,
    ColumnValues,
    DataFreshness,
    CustomSql,
    ReferentialIntegrity,
    DatasetMatch,
    SchemaMatch,
    AggregateMatch,
    DetectAnomalies,
    AllStatistics,
    FileMatch,
    FileUniqueness,
    FileFreshness,
    FileSize,
}

/// What is compared with a rule's condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Returns {
    /// Nothing: the rule has no condition.
    Boolean,
    Number,
    Text,
    Date,
    Duration,
    Size,
}

/// How many parameters a rule has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arity {
    Exactly(usize),
    AtLeast(usize),
}

impl Arity {
    pub fn accepts(self, count: usize) -> bool {
        match self {
            Self::Exactly(expected) => count == expected,
            Self::AtLeast(least) => count >= least,
        }
    }
}

impl fmt::Display for Arity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(count) => count.fmt(f),
            Self::AtLeast(least) => write!(f, "{least} or more"),
        }
    }
}

/// One way to write a rule.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    pub rule_type: RuleType,
    pub arity: Arity,
    pub returns: &'static [Returns],
    /// Whether it takes `where`.
    pub filters: bool,
    /// Whether it takes `with threshold`.
    pub threshold: bool,
}

const fn signature(
    rule_type: RuleType,
    parameters: usize,
    returns: &'static [Returns],
) -> Signature {
    Signature {
        rule_type,
        arity: Arity::Exactly(parameters),
        returns,
        filters: false,
        threshold: false,
    }
}

impl Signature {
    const fn filters(self) -> Self {
        Self { filters: true, ..self }
    }

    const fn threshold(self) -> Self {
        Self { threshold: true, ..self }
    }

    const fn variadic(rule_type: RuleType, least: usize, returns: &'static [Returns]) -> Self {
        Self { arity: Arity::AtLeast(least), ..signature(rule_type, 0, returns) }
    }
}

const BOOLEAN: &[Returns] = &[Returns::Boolean];
const NUMBER: &[Returns] = &[Returns::Number];

/// All signatures.
pub const SIGNATURES: &[Signature] = &[
    signature(RuleType::RowCount, 0, NUMBER).filters(),
    signature(RuleType::RowCountMatch, 1, NUMBER),
    signature(RuleType::ColumnCount, 0, NUMBER),
    signature(RuleType::Completeness, 1, NUMBER).filters(),
    signature(RuleType::IsComplete, 1, BOOLEAN).filters(),
    signature(RuleType::ColumnDataType, 1, &[Returns::Text]).filters().threshold(),
    signature(RuleType::ColumnNamesMatchPattern, 1, BOOLEAN),
    signature(RuleType::ColumnExists, 1, BOOLEAN),
    signature(RuleType::ColumnCorrelation, 2, NUMBER).filters(),
    Signature::variadic(RuleType::Uniqueness, 1, NUMBER).filters(),
    Signature::variadic(RuleType::IsUnique, 1, BOOLEAN).filters(),
    signature(RuleType::Mean, 1, NUMBER).filters(),
    signature(RuleType::Sum, 1, NUMBER).filters(),
    signature(RuleType::StandardDeviation, 1, NUMBER).filters(),
    signature(RuleType::Variance, 1, NUMBER).filters(),
    signature(RuleType::Entropy, 1, NUMBER).filters(),
    signature(RuleType::DistinctValuesCount, 1, NUMBER).filters(),
    signature(RuleType::UniqueValueRatio, 1, NUMBER).filters(),
    signature(RuleType::ColumnLength, 1, NUMBER).filters(),
    Signature::variadic(RuleType::IsPrimaryKey, 1, BOOLEAN).filters(),
    signature(RuleType::ColumnValues, 1, &[Returns::Text, Returns::Number, Returns::Date])
        .filters()
        .threshold(),
    signature(RuleType::DataFreshness, 1, &[Returns::Duration]).filters(),
    signature(RuleType::CustomSql, 1, &[Returns::Number, Returns::Boolean]).threshold(),
    signature(RuleType::ReferentialIntegrity, 2, NUMBER),
    signature(RuleType::DatasetMatch, 2, NUMBER),
    signature(RuleType::DatasetMatch, 3, NUMBER),
    signature(RuleType::SchemaMatch, 1, NUMBER),
    signature(RuleType::AggregateMatch, 2, NUMBER),
    Signature::variadic(RuleType::DetectAnomalies, 1, BOOLEAN),
    signature(RuleType::AllStatistics, 1, NUMBER),
    signature(RuleType::FileMatch, 2, BOOLEAN),
    signature(RuleType::FileMatch, 1, &[Returns::Text]),
    signature(RuleType::FileMatch, 0, &[Returns::Text]),
    signature(RuleType::FileUniqueness, 1, NUMBER),
    signature(RuleType::FileUniqueness, 0, NUMBER),
    signature(RuleType::FileFreshness, 1, &[Returns::Date]).threshold(),
    signature(RuleType::FileFreshness, 0, &[Returns::Date]).threshold(),
    signature(RuleType::FileSize, 1, &[Returns::Size]).threshold(),
    signature(RuleType::FileSize, 0, &[Returns::Size]).threshold(),
];

impl RuleType {
    /// All rule types, as the signatures name them.
    pub fn all() -> impl Iterator<Item = Self> {
        let mut last = None;
        SIGNATURES.iter().map(|signature| signature.rule_type).filter(move |rule_type| {
            let new = last != Some(*rule_type);
            last = Some(*rule_type);
            new
        })
    }

    /// Its signatures: one, or more that differ in their parameters.
    pub fn signatures(self) -> impl Iterator<Item = &'static Signature> {
        SIGNATURES.iter().filter(move |signature| signature.rule_type == self)
    }

    /// Whether it stands among `Analyzers` only.
    pub fn is_analyzer_only(self) -> bool {
        self == Self::AllStatistics
    }
}

impl fmt::Display for RuleType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// There is no such rule type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no rule type {0}{hint}", hint = hint(.0))]
pub struct UnknownRuleType(pub String);

fn hint(name: &str) -> String {
    let near = RuleType::all().find(|known| known.to_string().eq_ignore_ascii_case(name));
    near.map(|known| format!(": write {known}")).unwrap_or_default()
}

impl FromStr for RuleType {
    type Err = UnknownRuleType;

    fn from_str(name: &str) -> Result<Self, UnknownRuleType> {
        let found = Self::all().find(|rule_type| rule_type.to_string() == name);
        found.ok_or_else(|| UnknownRuleType(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_the_signatures_of_the_official_parser() {
        assert_eq!(SIGNATURES.len(), 39);
        assert_eq!(RuleType::all().count(), 33);
        let unknown = "rowcount".parse::<RuleType>().unwrap_err();
        assert_eq!(unknown.to_string(), "there is no rule type rowcount: write RowCount");
    }
}

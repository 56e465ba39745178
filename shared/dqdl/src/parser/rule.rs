//! Rules and what they are composed of.

use super::{DEEPEST, Parsed, Parser, inner, signature};
use crate::condition::{Comparison, Operator, Text};
use crate::labels;
use crate::number::Number;
use crate::problem::{Place, Problem};
use crate::rule_type::Signature;
use crate::ruleset::{Body, Check, Connective, Label, Rule, Tag};
use crate::token::Kind;

/// How deeply rules may be composed, as in Glue.
const DEEPEST_COMPOSITION: usize = 5;

impl Parser<'_> {
    /// Rules joined by `or`, which binds less closely than `and`.
    pub(super) fn any_of(&mut self) -> Parsed<Rule> {
        self.composed(Connective::Or, ["or", "OR"], Self::all_of)
    }

    fn all_of(&mut self) -> Parsed<Rule> {
        self.composed(Connective::And, ["and", "AND"], Self::single)
    }

    fn composed(
        &mut self,
        connective: Connective,
        words: [&'static str; 2],
        part: fn(&mut Self) -> Parsed<Rule>,
    ) -> Parsed<Rule> {
        let place = self.peek().place;
        let first = part(self)?;
        if !words.iter().any(|word| self.peek().is(word)) {
            return Ok(first);
        }
        let mut rules = vec![first];
        while self.accept_any(&words).is_some() {
            rules.push(part(self)?);
        }
        let rule = Rule {
            place,
            body: Body::Composite { connective, rules },
            labels: self.labels_of(place, &[])?,
        };
        if depth(&rule) > DEEPEST_COMPOSITION {
            let message = format!("rules are composed more than {DEEPEST_COMPOSITION} deep");
            return Err(Problem { place, message });
        }
        Ok(rule)
    }

    /// A check, or rules in parentheses.
    fn single(&mut self) -> Parsed<Rule> {
        let place = self.peek().place;
        if !self.accept("(") {
            return self.check();
        }
        self.deeper(place)?;
        let mut rule = self.any_of()?;
        self.depth -= 1;
        self.expect(")")?;
        if self.peek().is("labels") {
            self.next();
            let own = self.labels()?;
            rule.labels = self.labels_of(place, &own)?;
        }
        Ok(rule)
    }

    pub(super) fn deeper(&mut self, place: Place) -> Parsed<()> {
        self.depth += 1;
        if self.depth <= DEEPEST {
            return Ok(());
        }
        Err(Problem { place, message: format!("parentheses are nested more than {DEEPEST} deep") })
    }

    fn check(&mut self) -> Parsed<Rule> {
        let (place, rule_type) = self.rule_type()?;
        let parameters = self.parameters()?;
        let condition = self.condition()?;
        let filter = self.filter()?;
        // Labels may stand before the tags or behind them.
        let (mut written_tags, mut own) = (Vec::new(), None);
        loop {
            if self.accept("with") {
                written_tags.push(self.tag()?);
            } else if own.is_none() && self.accept("labels") {
                own = Some(self.labels()?);
            } else {
                break;
            }
        }
        let own = own.unwrap_or_default();
        let wrong = |message: String| Problem { place, message };
        if rule_type.is_analyzer_only() {
            return Err(wrong(format!("{rule_type} stands among Analyzers only")));
        }
        let signature = signature(rule_type, place, parameters.len())?;
        let condition = signature.condition(condition).map_err(wrong)?;
        if filter.is_some() && !signature.filters {
            return Err(wrong(format!("{rule_type} takes no where")));
        }
        let (threshold, tags) = tags(signature, written_tags).map_err(wrong)?;
        let check = Check { rule_type, parameters, condition, filter, threshold, tags };
        Ok(Rule { place, body: Body::Check(check), labels: self.labels_of(place, &own)? })
    }

    /// `where "SQL"`.
    fn filter(&mut self) -> Parsed<Option<String>> {
        if !self.accept("where") {
            return Ok(None);
        }
        let filter = self.quoted("SQL in quotes after where")?;
        match inner(filter.written) {
            "" => Err(Problem { place: filter.place, message: "where is empty".to_owned() }),
            text => Ok(Some(text.to_owned())),
        }
    }

    /// What stands behind `with`.
    fn tag(&mut self) -> Parsed<WrittenTag> {
        let token = self.peek().clone();
        let name = match token.kind {
            Kind::Name => token.text,
            Kind::Text => inner(token.text),
            _ => return Err(self.unexpected("threshold or a tag's name after with")),
        };
        self.next();
        let value = self.tag_value()?;
        Ok(WrittenTag { name: name.to_owned(), value })
    }

    fn labels_of(&self, place: Place, own: &[(String, String)]) -> Parsed<Vec<Label>> {
        labels::merged(own, &self.default_labels).map_err(|message| Problem { place, message })
    }
}

/// How deeply a rule is composed: 0 for a check. However many rules one word joins, they lie side by side.
fn depth(rule: &Rule) -> usize {
    match &rule.body {
        Body::Check(_) => 0,
        Body::Composite { rules, .. } => 1 + rules.iter().map(depth).max().unwrap_or_default(),
    }
}

pub(super) struct WrittenTag {
    name: String,
    value: TagValue,
}

pub(super) enum TagValue {
    Number(Comparison<Number>),
    Text(Comparison<Text>),
}

type Tags = (Option<Comparison<Number>>, Vec<Tag>);

/// The threshold and the other tags, in the order in which Glue prints them.
fn tags(signature: &Signature, written: Vec<WrittenTag>) -> Result<Tags, String> {
    let (mut threshold, mut tags) = (None, Vec::<Tag>::new());
    let rule_type = signature.rule_type;
    for WrittenTag { name, value } in written {
        let tag = match value {
            TagValue::Number(_) if name == "threshold" && !signature.threshold => {
                return Err(format!("{rule_type} takes no threshold"));
            }
            TagValue::Number(_) if name == "threshold" && threshold.is_some() => {
                return Err(format!("{rule_type} has two thresholds"));
            }
            TagValue::Number(comparison) if name == "threshold" => {
                threshold = Some(comparison);
                continue;
            }
            TagValue::Number(Comparison { operator: Operator::Equal, operands }) => Tag {
                value: operands.iter().map(ToString::to_string).collect(),
                name,
                quoted: false,
            },
            TagValue::Text(Comparison { operator: Operator::Equal, operands }) => {
                let text = match operands.first() {
                    Some(Text::Quoted { written, .. }) => written.clone(),
                    other => other.map(ToString::to_string).unwrap_or_default(),
                };
                Tag { value: text, name, quoted: true }
            }
            TagValue::Number(_) | TagValue::Text(_) => {
                return Err(format!("with {name} takes = and nothing else"));
            }
        };
        if tag.name == "timeZone" && !is_time_zone(&tag.value) {
            return Err(format!("with timeZone: there is no zone {:?}", tag.value));
        }
        tags.retain(|earlier| earlier.name != tag.name);
        tags.push(tag);
    }
    tags.sort_by_key(|tag| bucket(&tag.name));
    Ok((threshold, tags))
}

fn is_time_zone(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '+' || c == '-')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "+-_/:".contains(c))
}

/// Glue keeps tags in a Java hash map and prints them in its order: 16 buckets, by the hash of the name.
fn bucket(name: &str) -> u32 {
    let hash = name
        .encode_utf16()
        .fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    (hash ^ (hash >> 16)) & 15
}

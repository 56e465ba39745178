//! `Retry` and `Catch`.

use serde_json::Value;

use super::fields::Fields;
use super::machine::{Place, Targets};
use crate::failure::error_name;
use crate::retry::Schedule;
use crate::template::Template;

#[derive(Debug)]
pub(crate) struct Retrier {
    pub errors: Vec<String>,
    pub schedule: Schedule,
}

#[derive(Debug)]
pub(crate) struct Catcher {
    pub errors: Vec<String>,
    pub next: usize,
    /// `JSONPath`
    pub place: Place,
    /// `JSONata`
    pub output: Option<Template>,
    pub assign: Vec<(String, Template)>,
}

pub(super) fn retriers(fields: &Fields) -> Vec<Retrier> {
    let items = fields.list("Retry").unwrap_or_default();
    each(fields, "Retry", items, |rule, last| {
        let schedule = Schedule {
            interval_seconds: rule.whole("IntervalSeconds", 1).unwrap_or(1),
            max_attempts: rule.whole("MaxAttempts", 0).unwrap_or(3),
            backoff_rate: rule.number("BackoffRate", 1.0).unwrap_or(2.0),
            max_delay_seconds: rule.whole("MaxDelaySeconds", 1),
            full_jitter: match rule.text("JitterStrategy") {
                None | Some("NONE") => false,
                Some("FULL") => true,
                Some(other) => {
                    rule.wrong("JitterStrategy", format!("'{other}' is neither FULL nor NONE"));
                    false
                }
            },
        };
        Some(Retrier { errors: error_equals(rule, last), schedule })
    })
}

pub(super) fn catchers(fields: &Fields, targets: &Targets) -> Vec<Catcher> {
    let items = fields.list("Catch").unwrap_or_default();
    each(fields, "Catch", items, |rule, last| {
        rule.require(&["Next"]);
        let jsonata = rule.is_jsonata();
        let errors = error_equals(rule, last);
        let place = if jsonata { Place::Whole } else { rule.place("ResultPath") };
        let output = if jsonata { rule.template("Output") } else { None };
        Some(Catcher {
            errors,
            place,
            output,
            assign: rule.assign(),
            next: targets.resolve(rule, "Next")?,
        })
    })
}

fn each<T>(
    fields: &Fields,
    name: &'static str,
    items: &[Value],
    mut parse: impl FnMut(&Fields, bool) -> Option<T>,
) -> Vec<T> {
    let mut parsed = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        let Some(rule) = fields.object_of(&format!("{name}/{at}"), item) else {
            continue;
        };
        rule.require(&["ErrorEquals"]);
        parsed.extend(parse(&rule, at + 1 == items.len()));
        rule.refuse_unknown(&[]);
    }
    parsed
}

fn error_equals(rule: &Fields, last: bool) -> Vec<String> {
    let names = rule.list("ErrorEquals").unwrap_or_default();
    if names.is_empty() && rule.has("ErrorEquals") {
        rule.wrong("ErrorEquals", "ErrorEquals must not be empty");
    }
    let mut errors = Vec::with_capacity(names.len());
    for name in names {
        match name.as_str() {
            Some(name) => errors.push(name.to_owned()),
            None => rule.wrong("ErrorEquals", "Expected an array of strings"),
        }
    }
    if errors.iter().any(|name| name == error_name::ALL) {
        if errors.len() > 1 {
            rule.wrong("ErrorEquals", "States.ALL must appear alone");
        }
        if !last {
            rule.wrong("ErrorEquals", "States.ALL must be in the last entry of its list");
        }
    }
    errors
}

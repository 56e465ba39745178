//! The limits of labels, as Glue has them.

use crate::ruleset::Label;

const MOST_LABELS: usize = 10;
const LONGEST_KEY: usize = 128;
const LONGEST_VALUE: usize = 256;

/// What is wrong with the labels that are written in one place.
pub fn written(labels: &[(String, String)]) -> Vec<String> {
    let mut wrong = Vec::new();
    if labels.is_empty() {
        wrong.push("labels must have at least one label".to_owned());
    }
    if labels.len() > MOST_LABELS {
        wrong.push(format!("{} labels are more than {MOST_LABELS}", labels.len()));
    }
    for (index, (key, value)) in labels.iter().enumerate() {
        if labels[..index].iter().any(|(earlier, _)| earlier == key) {
            wrong.push(format!("the label {key} is there twice"));
        }
        for (what, text, longest) in [("key", key, LONGEST_KEY), ("value", value, LONGEST_VALUE)] {
            let length = text.chars().count();
            if length > longest {
                wrong.push(format!(
                    "a label's {what} has {length} characters, at most {longest} are allowed"
                ));
            }
        }
    }
    wrong
}

/// A rule's labels: its own, and the default ones that it does not override.
pub fn merged(
    own: &[(String, String)],
    default: &[(String, String)],
) -> Result<Vec<Label>, String> {
    let label = |(key, value): &(String, String), by_default| Label {
        key: key.clone(),
        value: value.clone(),
        by_default,
    };
    let inherited = default.iter().filter(|(key, _)| own.iter().all(|(mine, _)| mine != key));
    let labels: Vec<_> = own
        .iter()
        .map(|pair| label(pair, false))
        .chain(inherited.map(|pair| label(pair, true)))
        .collect();
    if labels.len() > MOST_LABELS {
        return Err(format!(
            "{} labels with the default ones are more than {MOST_LABELS}",
            labels.len()
        ));
    }
    Ok(labels)
}

//! How alike texts are, and whether their digits check.

use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;

use super::call::Call;
use super::function::{Function, exactly};
use crate::sql::{Failure, TrinoType};

const TEXT: TrinoType = TrinoType::Varchar(None);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new(
        "levenshtein_distance",
        |given| exactly("levenshtein_distance", given, &[TEXT, TEXT], TrinoType::Bigint),
        levenshtein,
    ),
    Function::new(
        "hamming_distance",
        |given| exactly("hamming_distance", given, &[TEXT, TEXT], TrinoType::Bigint),
        hamming,
    ),
    Function::new("soundex", |given| exactly("soundex", given, &[TEXT], TEXT), soundex),
    Function::new(
        "luhn_check",
        |given| exactly("luhn_check", given, &[TEXT], TrinoType::Boolean),
        luhn,
    ),
];

fn count(length: usize) -> Option<i64> {
    i64::try_from(length).ok()
}

/// Most steps of a distance. Source: Trino's limit.
const LARGEST: usize = 1_000_000;

fn levenshtein(call: &Call) -> Result<ArrayRef> {
    let (left, right) = (call.texts(0)?, call.texts(1)?);
    call.each_long(|row| {
        let (left, right): (Vec<char>, Vec<char>) =
            (left.value(row).chars().collect(), right.value(row).chars().collect());
        let (longer, shorter) = (left.len().max(right.len()), left.len().min(right.len()));
        if longer.saturating_mul(shorter.saturating_sub(1)) > LARGEST {
            return Err(Failure::invalid_argument(
                "The combined inputs for Levenshtein distance are too large",
            )
            .into());
        }
        let mut costs: Vec<usize> = (0..=right.len()).collect();
        for (at, a) in left.iter().enumerate() {
            let mut diagonal = costs[0];
            costs[0] = at + 1;
            for (place, b) in right.iter().enumerate() {
                let substitution = diagonal + usize::from(a != b);
                diagonal = costs[place + 1];
                costs[place + 1] = substitution.min(diagonal + 1).min(costs[place] + 1);
            }
        }
        Ok(count(costs[right.len()]))
    })
}

fn hamming(call: &Call) -> Result<ArrayRef> {
    let (left, right) = (call.texts(0)?, call.texts(1)?);
    call.each_long(|row| {
        let (left, right) = (left.value(row), right.value(row));
        if left.chars().count() != right.chars().count() {
            return Err(Failure::invalid_argument(
                "The input strings to hamming_distance function must have the same length",
            )
            .into());
        }
        Ok(count(left.chars().zip(right.chars()).filter(|(a, b)| a != b).count()))
    })
}

fn soundex(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    let code = |c: char| match c.to_ascii_uppercase() {
        'B' | 'F' | 'P' | 'V' => '1',
        'C' | 'G' | 'J' | 'K' | 'Q' | 'S' | 'X' | 'Z' => '2',
        'D' | 'T' => '3',
        'L' => '4',
        'M' | 'N' => '5',
        'R' => '6',
        'H' | 'W' => '-',
        _ => '0',
    };
    call.each_text(|row| {
        let text = texts.value(row);
        if let Some(foreign) = text.chars().find(|c| c.is_alphabetic() && !c.is_ascii()) {
            let foreign = foreign.to_uppercase().next().unwrap_or(foreign);
            return Err(Failure::invalid_argument(format!(
                "The character is not mapped: {foreign} (index={})",
                u32::from(foreign) - u32::from('A')
            ))
            .into());
        }
        let letters: Vec<char> = text.chars().filter(char::is_ascii_alphabetic).collect();
        let Some(first) = letters.first() else { return Ok(Some(String::new())) };
        let mut found = first.to_ascii_uppercase().to_string();
        let mut last = code(*first);
        for letter in &letters[1..] {
            let now = code(*letter);
            if now.is_ascii_digit() && now != '0' && now != last {
                found.push(now);
            }
            if now != '-' {
                last = now;
            }
        }
        found.push_str("000");
        Ok(Some(found[..4].to_owned()))
    })
}

fn luhn(call: &Call) -> Result<ArrayRef> {
    let texts = call.texts(0)?;
    call.each_boolean(|row| {
        let text = texts.value(row);
        if text.is_empty() {
            return Ok(Some(false));
        }
        let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(10)).collect();
        let digits = digits
            .ok_or_else(|| Failure::invalid_argument("Input string must have only digits"))?;
        let sum: u32 = digits
            .iter()
            .rev()
            .enumerate()
            .map(|(at, digit)| match (at % 2, digit * 2) {
                (1, doubled) if doubled > 9 => doubled - 9,
                (1, doubled) => doubled,
                _ => *digit,
            })
            .sum();
        Ok(Some(sum.is_multiple_of(10)))
    })
}

//! Words and letters of languages: `word_stem`, `normalize`.

use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;
use rust_stemmers::{Algorithm, Stemmer};
use unicode_normalization::UnicodeNormalization;

use super::call::Call;
use super::function::{Function, Plan, exactly};
use crate::sql::{Failure, TrinoType};

const TEXT: TrinoType = TrinoType::Varchar(None);

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("word_stem", stem_types, word_stem),
    Function::new(
        "$normalize",
        |given| exactly("normalize", given, &[TEXT, TEXT], TEXT),
        normalize,
    ),
];

fn stem_types(given: &[TrinoType]) -> Result<Plan, Failure> {
    match given.len() {
        1 => exactly("word_stem", given, &[TEXT], TEXT),
        _ => exactly("word_stem", given, &[TEXT, TEXT], TEXT),
    }
}

/// The Snowball stemmer of a language of ISO 639-1.
fn algorithm(language: &str) -> Result<Algorithm, Failure> {
    Ok(match language {
        "da" => Algorithm::Danish,
        "de" => Algorithm::German,
        "en" => Algorithm::English,
        "es" => Algorithm::Spanish,
        "fi" => Algorithm::Finnish,
        "fr" => Algorithm::French,
        "hu" => Algorithm::Hungarian,
        "it" => Algorithm::Italian,
        "nl" => Algorithm::Dutch,
        "no" => Algorithm::Norwegian,
        "pt" => Algorithm::Portuguese,
        "ro" => Algorithm::Romanian,
        "ru" => Algorithm::Russian,
        "sv" => Algorithm::Swedish,
        "tr" => Algorithm::Turkish,
        known @ ("ca" | "eu" | "hy" | "ir" | "lt") => {
            return Err(Failure::not_supported(format!("word_stem of the language {known}")));
        }
        other => {
            return Err(Failure::invalid_argument(format!("Unknown stemmer language: {other}")));
        }
    })
}

fn word_stem(call: &Call) -> Result<ArrayRef> {
    let words = call.texts(0)?;
    let languages = if call.count() > 1 { Some(call.texts(1)?) } else { None };
    call.each_text(|row| {
        let language = languages.as_ref().map_or("en", |languages| languages.value(row));
        let stemmer = Stemmer::create(algorithm(&language.to_lowercase())?);
        Ok(Some(stemmer.stem(words.value(row)).into_owned()))
    })
}

fn normalize(call: &Call) -> Result<ArrayRef> {
    let (texts, forms) = (call.texts(0)?, call.texts(1)?);
    call.each_text(|row| {
        let text = texts.value(row);
        Ok(Some(match forms.value(row) {
            "NFC" => text.nfc().collect(),
            "NFD" => text.nfd().collect(),
            "NFKC" => text.nfkc().collect(),
            "NFKD" => text.nfkd().collect(),
            other => {
                return Err(Failure::new(
                    "SYNTAX_ERROR",
                    format!("{other} is no normalization form"),
                )
                .into());
            }
        }))
    })
}

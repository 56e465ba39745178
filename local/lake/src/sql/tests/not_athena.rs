//! Why a case of Trino's is none of Athena's: what it asks for came with a later Trino
//! than the engine's, or belongs to Trino's own tests.

use regex::Regex;
use serde_json::Value;

/// A feature by a pattern over the case's text: source, statement and bindings.
struct Feature {
    name: &'static str,
    pattern: Regex,
}

/// Reasons in the order they are tried.
pub(super) struct Reasons {
    features: Vec<Feature>,
    decimals: Regex,
}

impl Reasons {
    pub fn new() -> Self {
        let features = [
            ("the type NUMBER (Trino 480)", r"(?i)\bnumber\b *'|\bnumber\b *\)|\bas number\b"),
            ("the type VARIANT (Trino 481)", r"(?i)\bvariant"),
            ("values by methods: 'x'.length() (Trino 482)", r"(?i)Method\w*\.java|['\w)]::\w+\("),
            ("array_first and array_last (Trino 479)", r"(?i)\barray_(first|last)\("),
            ("ends_with (Trino 482)", r"(?i)\bends_with\("),
            ("OVERLAY (Trino 482)", r"(?i)\boverlay\("),
            (
                "IS TRUE, IS FALSE, IS UNKNOWN (Trino 482)",
                r"(?i)\bis (not )?(true|false|unknown)\b",
            ),
            ("GROUP BY AUTO (Trino of 2025)", r"(?i)\bgroup\s+by\s+((all|distinct)\s+)?auto\b"),
            ("CORRESPONDING (Trino of 2025)", r"(?i)\bcorresponding\b"),
            ("like_regex in JSON paths (Trino of 2025)", r"like_regex"),
            ("SHOW CATALOGS and SHOW SESSION", r"(?i)\bshow (catalogs|session)\b"),
            ("BETWEEN SYMMETRIC (Trino 482)", r"(?i)\b(a?symmetric)\b"),
            (
                "predicates in CASE x WHEN (Trino 482)",
                r"(?i)\bwhen (not )?(between|in|like|<|>|=|is|distinct)",
            ),
            (
                "the predicates MATCH and UNIQUE (Trino 482)",
                r"(?i)\b(unique|match) *(\(|simple|partial|full|unique)",
            ),
            ("char beside varchar without padding (Trino 482)", r"TestCharOperators.*'bar   '"),
            ("arguments by name (Trino 482)", r"TestNamedArgument"),
            ("like_regex in JSON paths (Trino of 2026)", r"\blike_regex\b"),
            ("json_query that returns JSON (Trino 484)", r"(?i)\breturning json\b"),
            ("JSON_TABLE, which Athena is not known to have (Trino 435)", r"(?i)\bjson_table\("),
            ("functions that Trino hides", r#""\$\w+"\("#),
            (
                "the order of arrays and rows that hold NULL (Trino 482)",
                r"(?i)(TestRowOperators|TestArrayOperators).*(array|row) ?[\[(][^<>]*null[^<>]*[<>]|\ba (<=?|>=?|between) ?b.*(array|row) ?[\[(][^;]*null|(least|greatest)\((row|array).*null",
            ),
            (
                "char made varchar without its blanks, and cast to other types (Trino 482)",
                r"(?i)TestCharOperators.*cast\(char '|TestStringFunctions.*(trim|concat)\(.*as char|TestCharacterStringCasts.*as char",
            ),
            ("like_regex in JSON paths (Trino 482)", r"like_regex"),
            (
                "a slip of the recorded case: rows of 2 FOLLOWING for a bound beyond all rows",
                r"(?i)1 PRECEDING AND DECIMAL '\d{10,}' FOLLOWING",
            ),
            (
                "a slip of the recorded case: numbers of Java's float read as doubles",
                r"(?i)TestRealOperators.*(\(REAL '[-\d.]+'\) [-+/] \(REAL|as double)",
            ),
            ("branches: table @ branch (Trino 477)", r"(?i)nation @ "),
            (
                "tables of Trino's own connectors",
                r"(?i)\b(mock\w*\.\w+|(from|table) (orders|nation|lineitem|region))\b",
            ),
            (
                "functions of Trino's own tests",
                r"(?i)\b(invoke|version|utf8|throw_error|test_\w+|\w+_convention|generic_incomplete_\w+|custom_is_null|named_\w+|connector_session_row|unchecked_to_json|precomputed|function|identity\.function|invalid_function|value_block_position_convention|block_position_convention|regular_convention)\(",
            ),
        ];
        let compiled = features
            .into_iter()
            .map(|(name, pattern)| Feature { name, pattern: Regex::new(pattern).unwrap() })
            .collect();
        let decimals =
            Regex::new(r"DECIMAL '-?(\d*)\.?(\d*)'|BIGINT '-?(\d+)'|DECIMAL\((\d+),(\d+)\)")
                .unwrap();
        Self { features: compiled, decimals }
    }

    /// The feature a case needs that Athena has not.
    pub fn not_athena(&self, case: &Value) -> Option<&'static str> {
        let part = |name: &str| case[name].as_str().unwrap_or_default();
        let text = format!("{} {} ; {}", part("source"), part("sql"), case["bindings"]);
        if let Some(found) = self.features.iter().find(|feature| feature.pattern.is_match(&text)) {
            return Some(found.name);
        }
        self.new_decimals(&text).then_some(
            "types of decimal results that grow past 38 digits, and of quotients (after Trino 483)",
        )
    }

    /// Whether a case of decimal operators has another result type since: any quotient, and what
    /// needs more than 38 digits.
    fn new_decimals(&self, text: &str) -> bool {
        if !text.contains("TestDecimalOperators") {
            return false;
        }
        if text.contains(") / (") {
            return true;
        }
        let types: Vec<(usize, usize)> = self
            .decimals
            .captures_iter(text)
            .map(|found| {
                let length = |at: usize| found.get(at).map_or(0, |digits| digits.len());
                let number =
                    |at: usize| found.get(at).and_then(|digits| digits.as_str().parse().ok());
                match number(4).zip(number(5)) {
                    Some((precision, scale)) => (precision, scale),
                    None if length(3) > 0 => (19, 0),
                    None => (length(1) + length(2), length(2)),
                }
            })
            .collect();
        let [(p1, s1), (p2, s2)] = types[..] else { return false };
        let product = p1 + p2 > 38;
        let sum = (p1 - s1).max(p2 - s2) + s1.max(s2) + 1 > 38;
        if text.contains(") * (") { product } else { sum }
    }
}

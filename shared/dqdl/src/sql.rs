//! Pieces of Athena SQL: names, texts, and what the author of a ruleset wrote as SQL for Spark.

/// `"name"`.
pub fn name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `'text'`.
pub fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// SQL of a ruleset, without the backslashes that DQDL wants before quotes, and with Spark's backticks as double quotes.
/// Columns that have one value in all rows are put in as that value.
pub fn authored(sql: &str, constants: &[(String, String)]) -> String {
    let unescaped = sql.replace("\\\"", "\"");
    let mut in_text = false;
    let quoted = unescaped.chars().map(|c| {
        in_text ^= c == '\'';
        if c == '`' && !in_text { '"' } else { c }
    });
    let quoted: String = quoted.collect();
    if constants.is_empty() { quoted } else { with_constants(&quoted, constants) }
}

/// Replaces names outside of quotes that no `(` follows, and neither a `.` nor a text precedes: `p.month`, and
/// `interval '1' month`, are no names of such a column.
fn with_constants(sql: &str, constants: &[(String, String)]) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let (mut replaced, mut rest, mut quote) = (String::with_capacity(sql.len()), sql, None);
    while let Some(c) = rest.chars().next() {
        let word = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        if quote.is_some() || word == 0 {
            quote = match quote {
                None if c == '\'' || c == '"' => Some(c),
                Some(open) if open == c => None,
                other => other,
            };
            replaced.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let is_call = rest[word..].trim_start().starts_with('(');
        let constant = constants.iter().find(|(name, _)| name.eq_ignore_ascii_case(&rest[..word]));
        match constant {
            Some((_, value)) if !is_call && !replaced.trim_end().ends_with(['.', '\'']) => {
                replaced.push_str(&text(value));
            }
            _ => replaced.push_str(&rest[..word]),
        }
        rest = &rest[word..];
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes() {
        assert_eq!(name("a\"b"), "\"a\"\"b\"");
        assert_eq!(text("it's"), "'it''s'");
        let check = |sql: &str, expected: &str| {
            let constants = [("month".to_owned(), "2024-01".to_owned())];
            assert_eq!(authored(sql, &constants), expected);
        };
        check("`col-A` > 1 and \\\"b\\\" = '`'", "\"col-A\" > 1 and \"b\" = '`'");
        check("month(at) = 1 and 'month' <> month", "month(at) = 1 and 'month' <> '2024-01'");
        check("at + interval '1' month", "at + interval '1' month");
        check("Month>p.month and months", "'2024-01'>p.month and months");
    }
}

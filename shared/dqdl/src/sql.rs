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
pub fn authored(sql: &str) -> String {
    let unescaped = sql.replace("\\\"", "\"");
    let mut in_text = false;
    let quoted = unescaped.chars().map(|c| {
        in_text ^= c == '\'';
        if c == '`' && !in_text { '"' } else { c }
    });
    quoted.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes() {
        assert_eq!(name("a\"b"), "\"a\"\"b\"");
        assert_eq!(text("it's"), "'it''s'");
        assert_eq!(authored("`col-A` > 1 and \\\"b\\\" = '`'"), "\"col-A\" > 1 and \"b\" = '`'");
    }
}

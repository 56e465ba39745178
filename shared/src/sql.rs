//! SQL text that only quoted names, quoted texts, numbers and fixed text can enter.
//!
//! Athena has two parsers. Hive reads DDL: names in backticks, texts in single quotes with
//! backslash escapes. Trino reads the rest: names in double quotes, quotes doubled in both.
//! Source: Athena user guide, "Reserved keywords" and "Names for tables, databases, and columns".

use std::fmt;

/// A piece of SQL, safe to put into another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sql(String);

/// What may fill a `{}` of a template.
pub trait Fragment {
    fn write(&self, sql: &mut String);
}

/// Fills the `{}` of `template` with `parts`, in order.
///
/// # Panics
/// When there are more or fewer parts than places: the template is part of the program.
pub fn sql(template: &'static str, parts: &[&dyn Fragment]) -> Sql {
    let mut pieces = template.split("{}");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    let mut parts = parts.iter();
    for piece in pieces {
        parts.next().expect("a part for every place of the template").write(&mut text);
        text.push_str(piece);
    }
    assert!(parts.next().is_none(), "a place for every part: {template}");
    Sql(text)
}

impl Sql {
    /// All `parts` with `separator` between them; nothing when there are none.
    pub fn join(parts: impl IntoIterator<Item = Self>, separator: &'static str) -> Self {
        let parts: Vec<_> = parts.into_iter().map(|part| part.0).collect();
        Self(parts.join(separator))
    }

    /// What `dqdl` has made of a contract's rules: text of the program, as the contract is.
    pub fn of_rules(sql: String) -> Self {
        Self(sql)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Sql> for String {
    fn from(sql: Sql) -> Self {
        sql.0
    }
}

impl fmt::Display for Sql {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Fragment for Sql {
    fn write(&self, sql: &mut String) {
        sql.push_str(&self.0);
    }
}

impl Fragment for i64 {
    fn write(&self, sql: &mut String) {
        sql.push_str(&self.to_string());
    }
}

impl Fragment for usize {
    fn write(&self, sql: &mut String) {
        sql.push_str(&self.to_string());
    }
}

/// A type's name, a keyword: text of the program, never of a file.
impl Fragment for &'static str {
    fn write(&self, sql: &mut String) {
        sql.push_str(self);
    }
}

/// A name in Hive DDL: `` `month` ``.
#[derive(Clone, Copy, Debug)]
pub struct HiveName<'a>(pub &'a str);

/// A text in Hive DDL: `'it\'s'`.
#[derive(Clone, Copy, Debug)]
pub struct HiveText<'a>(pub &'a str);

/// A name in a Trino statement: `"month"`.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a>(pub &'a str);

/// A text in a Trino statement: `'it''s'`.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a>(pub &'a str);

impl Fragment for HiveName<'_> {
    fn write(&self, sql: &mut String) {
        sql.push('`');
        sql.push_str(&self.0.replace('`', "``"));
        sql.push('`');
    }
}

impl Fragment for HiveText<'_> {
    fn write(&self, sql: &mut String) {
        sql.push('\'');
        sql.push_str(&self.0.replace('\\', "\\\\").replace('\'', "\\'"));
        sql.push('\'');
    }
}

impl Fragment for Name<'_> {
    fn write(&self, sql: &mut String) {
        sql.push('"');
        sql.push_str(&self.0.replace('"', "\"\""));
        sql.push('"');
    }
}

impl Fragment for Text<'_> {
    fn write(&self, sql: &mut String) {
        sql.push('\'');
        sql.push_str(&self.0.replace('\'', "''"));
        sql.push('\'');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_what_comes_from_outside() {
        let check = |part: &dyn Fragment, expected: &str| {
            assert_eq!(sql("{}", &[part]).as_str(), expected);
        };
        check(&HiveName("a`; DROP"), "`a``; DROP`");
        check(&HiveText("it's \\ {}"), "'it\\'s \\\\ {}'");
        check(&Name("a\"b"), "\"a\"\"b\"");
        check(&Text("'; DROP TABLE x --"), "'''; DROP TABLE x --'");
    }

    #[test]
    fn fills_places_in_order() {
        let names = ["a", "b"].map(|name| sql("{}", &[&Name(name)]));
        let text =
            sql("SELECT {} FROM {} LIMIT {}", &[&Sql::join(names, ", "), &Name("{}"), &3_i64]);
        assert_eq!(text.as_str(), "SELECT \"a\", \"b\" FROM \"{}\" LIMIT 3");
    }
}

//! What a statement is, told from its first words: Athena's `StatementType` and
//! `SubstatementType`, and which parser reads it.
#![expect(clippy::match_same_arms, reason = "one arm a line of the user guide's tables")]

/// Athena's `StatementType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StatementType {
    Ddl,
    Dml,
    Utility,
}

impl StatementType {
    /// As `GetQueryExecution` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ddl => "DDL",
            Self::Dml => "DML",
            Self::Utility => "UTILITY",
        }
    }
}

/// Athena's `StatementType` with its `SubstatementType`, such as `CREATE_TABLE_AS_SELECT`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct StatementKind {
    pub statement_type: StatementType,
    pub substatement: &'static str,
    pub(crate) parser: Parser,
}

impl StatementKind {
    /// Whether it is Hive's DDL, and not Trino's SQL.
    pub fn is_hive(self) -> bool {
        self.parser == Parser::Hive
    }
}

/// Which parser reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Parser {
    Hive,
    Trino,
    /// Neither: Athena refuses the kind as a whole.
    Refused,
}

impl StatementKind {
    const fn new(
        statement_type: StatementType,
        substatement: &'static str,
        parser: Parser,
    ) -> Self {
        Self { statement_type, substatement, parser }
    }

    /// Whether `GetQueryResults` begins with a row of column names.
    pub fn has_header(self) -> bool {
        self.statement_type == StatementType::Dml && self.substatement == "SELECT"
    }
}

/// Tells the kind of a statement; `None` when its first word begins none.
pub fn classify(statement: &str) -> Option<StatementKind> {
    use Parser::{Hive, Refused, Trino};
    use StatementType::{Ddl, Dml, Utility};
    let words = first_words(statement);
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let kind = StatementKind::new;
    Some(match (word(0), word(1)) {
        ("SELECT" | "WITH" | "VALUES" | "(" | "TABLE", _) => kind(Dml, "SELECT", Trino),
        ("INSERT", _) => kind(Dml, "INSERT", Trino),
        ("DELETE", _) => kind(Dml, "DELETE", Trino),
        ("UPDATE", _) => kind(Dml, "UPDATE", Trino),
        ("MERGE", _) => kind(Dml, "MERGE", Trino),
        ("UNLOAD", _) => kind(Dml, "UNLOAD", Trino),
        ("EXPLAIN", _) => kind(Utility, "EXPLAIN", Trino),
        ("PREPARE", _) => kind(Utility, "PREPARE", Trino),
        ("EXECUTE", _) => kind(Dml, "SELECT", Trino),
        ("DEALLOCATE", _) => kind(Utility, "DEALLOCATE", Trino),
        ("OPTIMIZE", _) => kind(Dml, "OPTIMIZE", Trino),
        ("VACUUM", _) => kind(Dml, "VACUUM", Trino),
        ("USING", _) => kind(Dml, "SELECT", Trino),
        ("CREATE", "DATABASE" | "SCHEMA") => kind(Ddl, "CREATE_DATABASE", Hive),
        ("CREATE", "EXTERNAL") => kind(Ddl, "CREATE_TABLE", Hive),
        ("CREATE", "TABLE") if is_as_query(statement) => kind(Ddl, "CREATE_TABLE_AS_SELECT", Trino),
        ("CREATE", "TABLE") => kind(Ddl, "CREATE_TABLE", Hive),
        ("CREATE", "VIEW" | "OR") => kind(Ddl, "CREATE_VIEW", Trino),
        ("CREATE", "PROTECTED") => kind(Ddl, "CREATE_VIEW", Refused),
        ("DROP", "VIEW") => kind(Ddl, "DROP_VIEW", Trino),
        ("DROP", "TABLE") => kind(Ddl, "DROP_TABLE", Hive),
        ("DROP", "DATABASE" | "SCHEMA") => kind(Ddl, "DROP_DATABASE", Hive),
        ("ALTER", "DATABASE" | "SCHEMA") => kind(Ddl, "ALTER_DATABASE", Hive),
        ("ALTER", "TABLE") => kind(Ddl, "ALTER_TABLE", Hive),
        ("MSCK", _) => kind(Ddl, "MSCK_REPAIR_TABLE", Hive),
        ("DESCRIBE" | "DESC", "INPUT") => kind(Utility, "DESCRIBE_INPUT", Refused),
        ("DESCRIBE" | "DESC", "OUTPUT") => kind(Utility, "DESCRIBE_OUTPUT", Refused),
        ("DESCRIBE" | "DESC", _) => kind(Utility, "DESCRIBE_TABLE", Hive),
        ("SHOW", "DATABASES" | "SCHEMAS") => kind(Utility, "SHOW_DATABASES", Hive),
        ("SHOW", "TABLES") => kind(Utility, "SHOW_TABLES", Hive),
        ("SHOW", "VIEWS") => kind(Utility, "SHOW_VIEWS", Hive),
        ("SHOW", "COLUMNS") => kind(Utility, "SHOW_COLUMNS", Hive),
        ("SHOW", "PARTITIONS") => kind(Utility, "SHOW_PARTITIONS", Hive),
        ("SHOW", "TBLPROPERTIES") => kind(Utility, "SHOW_TBLPROPERTIES", Hive),
        ("SHOW", "FUNCTIONS") => kind(Utility, "SHOW_FUNCTIONS", Trino),
        ("SHOW", "CREATE") if word(2) == "VIEW" => kind(Utility, "SHOW_CREATE_VIEW", Hive),
        ("SHOW", "CREATE") => kind(Utility, "SHOW_CREATE_TABLE", Hive),
        (
            "CREATE" | "DROP" | "ALTER" | "SHOW" | "COMMIT" | "ROLLBACK" | "START" | "GRANT"
            | "REVOKE" | "LOCK" | "UNLOCK" | "EXPORT" | "IMPORT" | "LOAD" | "TRUNCATE" | "ANALYZE"
            | "CALL" | "SET" | "RESET" | "USE" | "COMMENT" | "REFRESH" | "DENY",
            _,
        ) => kind(Ddl, "UNSUPPORTED", Refused),
        _ => return None,
    })
}

/// The first four words or symbols in upper case, past comments and blanks.
fn first_words(statement: &str) -> Vec<String> {
    let mut rest = skip_blanks(statement);
    let mut words = Vec::new();
    while words.len() < 4 && !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let end = if end == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { end };
        words.push(rest[..end].to_uppercase());
        rest = skip_blanks(&rest[end..]);
    }
    words
}

fn skip_blanks(text: &str) -> &str {
    let mut rest = text.trim_start();
    loop {
        if let Some(comment) = rest.strip_prefix("--") {
            rest = comment.find('\n').map_or("", |end| &comment[end..]).trim_start();
        } else if let Some(comment) = rest.strip_prefix("/*") {
            rest = comment.find("*/").map_or("", |end| &comment[end + 2..]).trim_start();
        } else {
            return rest;
        }
    }
}

/// Whether `CREATE TABLE …` has `AS` and a query: outside of strings and parentheses.
fn is_as_query(statement: &str) -> bool {
    let mut depth = 0_i32;
    let mut rest = statement;
    let mut previous = String::new();
    loop {
        rest = skip_blanks(rest);
        let Some(first) = rest.chars().next() else { return false };
        if matches!(first, '\'' | '"' | '`') {
            let body = &rest[1..];
            rest = body.find(first).map_or("", |end| &body[end + 1..]);
            previous.clear();
            continue;
        }
        let end = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .map_or(rest.len(), |end| end.max(first.len_utf8()));
        let word = rest[..end].to_uppercase();
        match word.as_str() {
            "(" if depth == 0 && previous == "AS" => return true,
            "(" => depth += 1,
            ")" => depth -= 1,
            "SELECT" | "WITH" | "VALUES" | "TABLE" if depth == 0 && previous == "AS" => {
                return true;
            }
            _ => {}
        }
        previous = word;
        rest = &rest[end..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_by_their_first_words() {
        let cases = [
            ("-- {\"node\": 1}\nselect 1", "DML SELECT"),
            ("/* a */ With t as (select 1) select * from t", "DML SELECT"),
            ("(select 1) union select 2", "DML SELECT"),
            (
                "CREATE TABLE t WITH (format = 'PARQUET') AS SELECT 1 AS a",
                "DDL CREATE_TABLE_AS_SELECT",
            ),
            (
                "create table t as (with a as (select 1) select * from a)",
                "DDL CREATE_TABLE_AS_SELECT",
            ),
            ("create table t (a int) location 's3://b/as select/'", "DDL CREATE_TABLE"),
            ("create external table t (a int) stored as parquet", "DDL CREATE_TABLE"),
            ("create or replace view v as select 1", "DDL CREATE_VIEW"),
            ("msck repair table `t`;", "DDL MSCK_REPAIR_TABLE"),
            ("SHOW CREATE VIEW v", "UTILITY SHOW_CREATE_VIEW"),
            ("desc t", "UTILITY DESCRIBE_TABLE"),
            ("unload (select 1) to 's3://a/'", "DML UNLOAD"),
        ];
        for (statement, expected) in cases {
            let kind = classify(statement).expect("a kind");
            assert_eq!(
                format!("{} {}", kind.statement_type.as_str(), kind.substatement),
                expected,
                "{statement}"
            );
        }
        assert_eq!(classify("SELEC 1"), None);
    }
}

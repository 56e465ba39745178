//! What a word at the prompt may become: keywords, databases, tables, columns, commands.

use super::command::Command;
use super::names::Names;

const KEYWORDS: &[&str] = &[
    "ADD",
    "ALL",
    "ALTER",
    "ANALYZE",
    "AND",
    "ARRAY",
    "AS",
    "ASC",
    "AT TIME ZONE",
    "BETWEEN",
    "BY",
    "CASE",
    "CAST",
    "COLUMN",
    "COLUMNS",
    "COMMENT",
    "CREATE",
    "CROSS JOIN",
    "CUBE",
    "CURRENT_DATE",
    "CURRENT_TIMESTAMP",
    "DATABASE",
    "DATABASES",
    "DATE",
    "DEALLOCATE PREPARE",
    "DELETE",
    "DELIMITED",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "DROP",
    "ELSE",
    "END",
    "EXCEPT",
    "EXECUTE",
    "EXISTS",
    "EXPLAIN",
    "EXTERNAL",
    "EXTRACT",
    "FALSE",
    "FETCH FIRST",
    "FIELDS",
    "FILTER",
    "FIRST",
    "FOR",
    "FROM",
    "FULL JOIN",
    "GROUP BY",
    "GROUPING SETS",
    "HAVING",
    "IF",
    "IN",
    "INNER JOIN",
    "INSERT INTO",
    "INTERSECT",
    "INTERVAL",
    "IS",
    "JOIN",
    "LAST",
    "LATERAL",
    "LEFT JOIN",
    "LIKE",
    "LIMIT",
    "LOCATION",
    "MAP",
    "MSCK REPAIR TABLE",
    "NATURAL JOIN",
    "NOT",
    "NULL",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER BY",
    "OVER",
    "PARTITION",
    "PARTITIONED BY",
    "PARTITIONS",
    "PREPARE",
    "RANGE",
    "REPLACE",
    "RIGHT JOIN",
    "ROLLUP",
    "ROW FORMAT",
    "ROWS",
    "SCHEMA",
    "SELECT",
    "SERDE",
    "SET",
    "SHOW",
    "STORED AS",
    "TABLE",
    "TABLES",
    "TABLESAMPLE",
    "TBLPROPERTIES",
    "TERMINATED BY",
    "THEN",
    "TIMESTAMP",
    "TRUE",
    "UNION",
    "UNLOAD",
    "UNNEST",
    "USING",
    "VALUES",
    "VIEW",
    "VIEWS",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
    "WITHIN GROUP",
];

/// After these comes a table.
const BEFORE_TABLES: &[&str] = &[
    "FROM",
    "JOIN",
    "INTO",
    "TABLE",
    "VIEW",
    "DESCRIBE",
    "UPDATE",
    "PARTITIONS",
    "TBLPROPERTIES",
    "EXISTS",
];
const BEFORE_DATABASES: &[&str] = &["DATABASE", "SCHEMA"];
/// After these no table's other name can stand.
const CLAUSES: &[&str] = &[
    "WHERE",
    "ON",
    "USING",
    "GROUP",
    "ORDER",
    "HAVING",
    "LIMIT",
    "JOIN",
    "LEFT",
    "RIGHT",
    "FULL",
    "INNER",
    "CROSS",
    "NATURAL",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "SELECT",
    "SET",
    "VALUES",
    "WINDOW",
    "OFFSET",
    "FETCH",
    "TABLESAMPLE",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Symbol(char),
}

impl<'a> Token<'a> {
    fn word(self) -> Option<&'a str> {
        match self {
            Self::Word(word) => Some(word),
            Self::Symbol(_) => None,
        }
    }

    fn is(self, keywords: &[&str]) -> bool {
        self.word()
            .is_some_and(|word| keywords.iter().any(|keyword| keyword.eq_ignore_ascii_case(word)))
    }
}

/// Where the word at `at` begins, and what it may become.
pub fn complete(names: &Names, text: &str, at: usize) -> (usize, Vec<String>) {
    let before = &text[..at];
    if let Some(command) = before.trim_start().strip_prefix('\\') {
        return of_command(names, command, at);
    }
    let Some(tokens) = tokens(before) else { return (at, Vec::new()) };
    let start = before
        .rfind(|char| !is_word(char))
        .map_or(0, |end| end + before[end..].chars().next().map_or(1, char::len_utf8));
    let prefix = &before[start..];
    let done = tokens.len() - usize::from(!prefix.is_empty());
    let path = path_before(&tokens[..done]);
    let all = self::tokens(text).unwrap_or_else(|| tokens.clone());
    let mut found = if path.is_empty() {
        unqualified(names, &tokens[..done], &all, prefix)
    } else {
        qualified(names, &path, &all)
    };
    found.retain(|name| {
        name.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
            && name != prefix
    });
    found.sort_unstable();
    found.dedup();
    (start, found)
}

fn of_command(names: &Names, command: &str, at: usize) -> (usize, Vec<String>) {
    let (name, argument) = match command.split_once(' ') {
        None => (None, command),
        Some((name, argument)) => (Some(name), argument.trim_start()),
    };
    let known: Vec<String> = match name {
        None => Command::NAMES.iter().map(|name| (*name).to_owned()).collect(),
        Some("d") => match argument.split_once('.') {
            Some((database, table)) => {
                let tables = names.databases.get(database).into_iter().flatten();
                let known =
                    tables.map(|(name, _)| name.clone()).filter(|name| name.starts_with(table));
                return (at - table.len(), known.collect());
            }
            None => names
                .tables()
                .chain(names.databases.keys().map(String::as_str))
                .map(str::to_owned)
                .collect(),
        },
        Some("c") => names.databases.keys().cloned().collect(),
        Some("format") => ["csv", "json", "table"].map(str::to_owned).to_vec(),
        Some("timing") => ["off", "on"].map(str::to_owned).to_vec(),
        Some(_) => Vec::new(),
    };
    (at - argument.len(), known.into_iter().filter(|name| name.starts_with(argument)).collect())
}

/// After a dot: tables of a database, columns of a table or of what it is called here.
fn qualified(names: &Names, path: &[&str], all: &[Token<'_>]) -> Vec<String> {
    let path: Vec<String> = path.iter().map(|part| part.to_lowercase()).collect();
    match path.as_slice() {
        [one] => {
            let tables = names.databases.get(one).into_iter().flatten();
            let mut found: Vec<String> = tables.map(|(name, _)| name.clone()).collect();
            for table in tables_of(all).iter().filter(|table| table.is_called(one)) {
                found.extend_from_slice(table.columns(names));
            }
            found
        }
        [.., database, table] => names.columns(Some(database), table).to_vec(),
        [] => Vec::new(),
    }
}

fn unqualified(
    names: &Names,
    before: &[Token<'_>],
    all: &[Token<'_>],
    prefix: &str,
) -> Vec<String> {
    let last = before.last();
    if last.is_some_and(|token| token.is(BEFORE_DATABASES)) {
        return names.databases.keys().cloned().collect();
    }
    let in_from = last == Some(&Token::Symbol(','))
        && before
            .iter()
            .rev()
            .find(|token| token.is(CLAUSES) || token.is(&["FROM"]))
            .is_some_and(|token| token.is(&["FROM"]));
    if in_from || last.is_some_and(|token| token.is(BEFORE_TABLES)) {
        let databases = names.databases.keys().map(String::as_str);
        return names.tables().chain(databases).map(str::to_owned).collect();
    }
    let small = prefix.chars().any(char::is_lowercase);
    let keywords =
        KEYWORDS.iter().map(|word| if small { word.to_lowercase() } else { (*word).to_owned() });
    let mut found: Vec<String> = keywords.collect();
    let read = tables_of(all);
    if read.is_empty() && !prefix.is_empty() {
        // The tables are mostly named after the columns.
        let tables = names.databases.get(&names.database).into_iter().flatten();
        found.extend(tables.flat_map(|(_, columns)| columns.iter().cloned()));
    }
    for table in read {
        found.extend_from_slice(table.columns(names));
        found.push(table.alias.unwrap_or(table.name).to_owned());
    }
    found
}

/// A table that a statement reads.
struct Read<'a> {
    database: Option<&'a str>,
    name: &'a str,
    alias: Option<&'a str>,
}

impl Read<'_> {
    fn is_called(&self, name: &str) -> bool {
        self.alias.unwrap_or(self.name).eq_ignore_ascii_case(name)
    }

    fn columns<'n>(&self, names: &'n Names) -> &'n [String] {
        let database = self.database.map(str::to_lowercase);
        names.columns(database.as_deref(), &self.name.to_lowercase())
    }
}

fn tables_of<'a>(tokens: &[Token<'a>]) -> Vec<Read<'a>> {
    let mut found = Vec::new();
    let mut in_from = false;
    for (at, token) in tokens.iter().enumerate() {
        let begins = token.is(&["FROM", "JOIN", "INTO", "UPDATE"]);
        in_from = begins || in_from && !token.is(CLAUSES) && *token != Token::Symbol(')');
        if !(begins || in_from && *token == Token::Symbol(',')) {
            continue;
        }
        let mut rest = tokens[at + 1..].iter().copied().peekable();
        let mut path = Vec::new();
        while let Some(word) = rest.next_if(|token| token.word().is_some()).and_then(Token::word) {
            path.push(word);
            if rest.next_if_eq(&Token::Symbol('.')).is_none() {
                break;
            }
        }
        let Some(name) = path.pop() else { continue };
        rest.next_if(|token| token.is(&["AS"]));
        let alias = rest.next().and_then(Token::word).filter(|word| !Token::Word(word).is(CLAUSES));
        found.push(Read { database: path.pop(), name, alias });
    }
    found
}

/// The parts of a name before the last dot.
fn path_before<'a>(tokens: &[Token<'a>]) -> Vec<&'a str> {
    let mut path = Vec::new();
    let mut rest = tokens;
    while let [before @ .., Token::Word(word), Token::Symbol('.')] = rest {
        path.insert(0, *word);
        rest = before;
    }
    path
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Words and symbols; quoted names are words. `None` where the end is within a text or a comment.
fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        if rest.starts_with("--") {
            rest = &rest[rest.find('\n')?..];
        } else if rest.starts_with("/*") {
            rest = &rest[rest.find("*/")? + 2..];
        } else if first == '\'' {
            rest = &after[after.find('\'')? + 1..];
        } else if matches!(first, '"' | '`') && after.contains(first) {
            let (name, after) = after.split_once(first)?;
            found.push(Token::Word(name));
            rest = after;
        } else if is_word(first) {
            let end = rest.find(|char| !is_word(char)).unwrap_or(rest.len());
            found.push(Token::Word(&rest[..end]));
            rest = &rest[end..];
        } else {
            if !first.is_whitespace() && !matches!(first, '"' | '`') {
                found.push(Token::Symbol(first));
            }
            rest = after;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn names() -> Names {
        let table = |name: &str, columns: &[&str]| {
            (name.to_owned(), columns.iter().map(|column| (*column).to_owned()).collect())
        };
        let taxi = BTreeMap::from([
            table("green_trips", &["month", "fare_amount", "total_amount"]),
            table("yellow_trips", &["month", "tip_amount"]),
        ]);
        let other = BTreeMap::from([table("zones", &["zone", "borough"])]);
        Names {
            database: "taxi".to_owned(),
            databases: BTreeMap::from([("taxi".to_owned(), taxi), ("ops".to_owned(), other)]),
        }
    }

    /// `|` is the cursor.
    #[test]
    fn a_word_becomes_what_may_stand_there() {
        let cases: &[(&str, &[&str])] = &[
            ("sel|", &["select"]),
            ("SEL|", &["SELECT"]),
            ("SELECT * FROM g|", &["green_trips"]),
            ("SELECT * FROM |", &["green_trips", "ops", "taxi", "yellow_trips"]),
            ("SELECT * FROM green_trips g, y|", &["yellow_trips"]),
            ("SELECT * FROM ops.|", &["zones"]),
            ("SELECT tip|", &["tip_amount"]),
            ("SELECT fare| FROM green_trips", &["fare_amount"]),
            ("SELECT mo| FROM taxi.green_trips", &["month"]),
            (
                "SELECT g.| FROM green_trips g JOIN yellow_trips AS y",
                &["fare_amount", "month", "total_amount"],
            ),
            ("SELECT g.month FROM green_trips g JOIN yellow_trips AS y ON y.t|", &["tip_amount"]),
            ("SELECT green_trips.f| FROM green_trips WHERE x", &["fare_amount"]),
            ("SELECT * FROM ops.zones WHERE ops.zones.b|", &["borough"]),
            ("SELECT * FROM \"ops\".\"zones\" z WHERE z.zo|", &["zone"]),
            ("SELECT * FROM green_trips WHERE tip|", &[]),
            ("SELECT 'from g|", &[]),
            ("SELECT 1 -- from g|", &[]),
            ("DROP DATABASE o|", &["ops"]),
            ("DESCRIBE y|", &["yellow_trips"]),
            ("INSERT INTO yellow_trips SELECT * FROM green_trips ORDER BY tot|", &["total_amount"]),
            ("\\|", &["?", "c", "d", "format", "l", "o", "q", "timing"]),
            ("\\fo|", &["format"]),
            ("\\d gr|", &["green_trips"]),
            ("\\d ops.z|", &["zones"]),
            ("\\c o|", &["ops"]),
            ("\\format j|", &["json"]),
            ("é mon| FROM green_trips", &["month"]),
        ];
        for (text, expected) in cases {
            let at = text.find('|').unwrap();
            let (start, found) = complete(&names(), &text.replace('|', ""), at);
            assert_eq!(found, *expected, "{text}");
            assert!(text.is_char_boundary(start) && start <= at, "{text}");
        }
    }
}

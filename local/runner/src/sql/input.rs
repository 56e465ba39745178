//! Text as it comes, cut into statements and commands.

use aws::lake::sql::{StatementKind, classify};

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    Statement(Statement),
    /// From a backslash where a statement could begin to the end of the line, without it.
    Command(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Without the semicolon and what blanks surround it.
    pub text: String,
    /// The line of the whole text it begins in, from 1.
    pub line: usize,
}

/// Where in a statement the text has come to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Within {
    #[default]
    Code,
    /// Between two of these.
    Quotes(char),
    Line,
    Block,
}

/// Cuts text at semicolons that stand in no text, name or comment.
#[derive(Debug, Default)]
pub struct Reader {
    pending: String,
    within: Within,
    /// Whether there is more pending than blanks and comments.
    has_code: bool,
    /// Lines read.
    lines: usize,
    begun: usize,
}

impl Reader {
    /// Takes lines, each with its end.
    pub fn take(&mut self, text: &str) -> Vec<Input> {
        text.split_inclusive('\n').flat_map(|line| self.line(line)).collect()
    }

    /// What is left after the last semicolon.
    pub fn rest(&mut self) -> Option<Statement> {
        self.within = Within::Code;
        self.statement()
    }

    /// Whether nothing has been begun.
    pub fn is_idle(&self) -> bool {
        !self.has_code && matches!(self.within, Within::Code | Within::Line)
    }

    /// Lines taken.
    pub fn lines(&self) -> usize {
        self.lines
    }

    fn line(&mut self, line: &str) -> Vec<Input> {
        self.lines += 1;
        let mut found = Vec::new();
        let mut chars = line.chars().peekable();
        while let Some(char) = chars.next() {
            if char == '\\' && !self.has_code && self.within == Within::Code {
                self.pending.clear();
                let command: String = chars.collect();
                found.push(Input::Command(command.trim().to_owned()));
                return found;
            }
            let next = chars.peek().copied();
            if self.pending.is_empty() {
                if char.is_whitespace() {
                    continue;
                }
                self.begun = self.lines;
            }
            if self.within == Within::Code && char == ';' {
                found.extend(self.statement().map(Input::Statement));
                continue;
            }
            self.pending.push(char);
            match self.within {
                Within::Code => match (char, next) {
                    ('-', Some('-')) => self.within = Within::Line,
                    ('/', Some('*')) => {
                        self.pending.extend(chars.next());
                        self.within = Within::Block;
                    }
                    _ => {
                        if matches!(char, '\'' | '"' | '`') {
                            self.within = Within::Quotes(char);
                        }
                        if !char.is_whitespace() {
                            self.has_code = true;
                        }
                    }
                },
                Within::Quotes(quote) => {
                    if char == quote {
                        self.within = Within::Code;
                    } else if char == '\\' && quote != '`' && self.is_hive() {
                        self.pending.extend(chars.next());
                    }
                }
                Within::Line if char == '\n' => self.within = Within::Code,
                Within::Block if char == '*' && next == Some('/') => {
                    self.pending.extend(chars.next());
                    self.within = Within::Code;
                }
                Within::Line | Within::Block => {}
            }
        }
        found
    }

    /// Hive's texts have escapes, Trino's have none.
    fn is_hive(&self) -> bool {
        classify(&self.pending).is_some_and(StatementKind::is_hive)
    }

    fn statement(&mut self) -> Option<Statement> {
        let text = std::mem::take(&mut self.pending);
        std::mem::take(&mut self.has_code)
            .then(|| Statement { text: text.trim_end().to_owned(), line: self.begun })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> (Vec<String>, bool) {
        let mut reader = Reader::default();
        let mut found: Vec<String> = reader.take(text).into_iter().map(shown).collect();
        let idle = reader.is_idle();
        found.extend(reader.rest().map(|rest| shown(Input::Statement(rest))));
        (found, idle)
    }

    fn shown(input: Input) -> String {
        match input {
            Input::Statement(Statement { text, line }) => format!("{line}: {text}"),
            Input::Command(command) => format!("\\{command}"),
        }
    }

    #[test]
    fn text_is_cut_where_a_statement_ends() {
        let cases: &[(&str, &[&str], bool)] = &[
            ("SELECT 1;\nSELECT 2\n", &["1: SELECT 1", "2: SELECT 2"], false),
            ("SELECT 1; SELECT\n 2 ;\n", &["1: SELECT 1", "1: SELECT\n 2"], true),
            ("SELECT ';', 'it''s;';", &["1: SELECT ';', 'it''s;'"], true),
            ("SELECT \";\" FROM `a;b`;", &["1: SELECT \";\" FROM `a;b`"], true),
            ("-- one; two\nSELECT 1 -- three;\n;", &["1: -- one; two\nSELECT 1 -- three;"], true),
            ("/* ; ' */ SELECT 1 /* ; */ - 2;", &["1: /* ; ' */ SELECT 1 /* ; */ - 2"], true),
            ("\n\n;;  ;\n-- nothing\n", &[], true),
            ("SELECT 'a\\'; SELECT 2;", &["1: SELECT 'a\\'", "1: SELECT 2"], true),
            (
                "ALTER TABLE t SET TBLPROPERTIES ('a' = '\\';');",
                &["1: ALTER TABLE t SET TBLPROPERTIES ('a' = '\\';')"],
                true,
            ),
            ("SELECT 'open;\n\\q\n", &["1: SELECT 'open;\n\\q"], false),
            ("/* open ; ", &[], false),
            ("-- a note\n\\d trips\nSELECT 1;\n  \\q", &["\\d trips", "3: SELECT 1", "\\q"], true),
            ("SELECT 1; -- done", &["1: SELECT 1"], true),
            ("SELECT 1; \\d t\nSELECT \\q;", &["1: SELECT 1", "\\d t", "2: SELECT \\q"], true),
            ("SELECT 'é;ü';\n\n  SELECT 2;", &["1: SELECT 'é;ü'", "3: SELECT 2"], true),
        ];
        for (text, expected, idle) in cases {
            let found = cut(text);
            assert_eq!(
                found,
                (expected.iter().map(|s| (*s).to_owned()).collect(), *idle),
                "{text}"
            );
        }
    }
}

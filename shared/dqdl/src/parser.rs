//! Reads a ruleset. All problems are told at once: after one, reading goes on at the next rule or section.

use std::collections::BTreeMap;

use crate::problem::{Place, Problem};
use crate::rule_type::{Returns, RuleType, Signature, UnknownRuleType};
use crate::ruleset::{Analyzer, Parameter, Ruleset};
use crate::token::{Kind, Token, tokens};

mod condition;
mod rule;
mod section;

type Parsed<T> = Result<T, Problem>;

/// Reads `text`.
///
/// # Errors
/// All that is wrong with it, in the order of their places.
pub fn parse(text: &str) -> Result<Ruleset, Vec<Problem>> {
    let (tokens, problems) = tokens(text);
    let mut parser = Parser {
        tokens,
        at: 0,
        depth: 0,
        problems,
        variables: BTreeMap::new(),
        default_labels: Vec::new(),
    };
    let ruleset = parser.document();
    let mut problems = parser.problems;
    if problems.is_empty() {
        return Ok(ruleset);
    }
    problems.sort_by_key(|problem| problem.place);
    problems.dedup();
    Err(problems)
}

/// Deeper than anybody nests by hand: reading is recursive.
const DEEPEST: usize = 50;

/// Keywords that stand where a text may stand.
const TEXT_WORDS: [&str; 6] =
    ["null", "NULL", "empty", "EMPTY", "whitespaces_only", "WHITESPACES_ONLY"];

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    depth: usize,
    problems: Vec<Problem>,
    variables: BTreeMap<String, Variable>,
    default_labels: Vec<(String, String)>,
}

/// What a variable stands for.
enum Variable {
    Text(String),
    Texts(Vec<String>),
}

const SECTIONS: [&str; 5] = ["Metadata", "DataSources", "DefaultLabels", "Rules", "Analyzers"];

impl<'a> Parser<'a> {
    fn document(&mut self) -> Ruleset {
        let mut ruleset = Ruleset::default();
        if self.peek().is("Metadata") {
            let done = self.metadata(&mut ruleset);
            self.recover(done);
        }
        if self.peek().is("DataSources") {
            let done = self.data_sources(&mut ruleset);
            self.recover(done);
        }
        while self.peek().kind == Kind::Name {
            let done = self.variable();
            self.recover(done);
        }
        if self.peek().is("DefaultLabels") {
            let done = self.default_labels();
            self.recover(done);
        }
        let start = self.peek().clone();
        // Either may come first.
        let mut sections = vec!["Rules", "Analyzers"];
        while let Some(index) = sections.iter().position(|section| self.peek().is(section)) {
            let done = match sections.remove(index) {
                "Rules" => self.list(Self::any_of).map(|rules| ruleset.rules = rules),
                _ => self.list(Self::analyzer).map(|analyzers| ruleset.analyzers = analyzers),
            };
            self.recover(done);
        }
        if self.problems.is_empty() && ruleset.rules.is_empty() && ruleset.analyzers.is_empty() {
            let problem = match sections.len() {
                2 => self.unexpected("Rules or Analyzers"),
                _ => Problem {
                    place: start.place,
                    message: "there are no rules and no analyzers".to_owned(),
                },
            };
            self.problems.push(problem);
        } else if self.peek().kind != Kind::End {
            let message =
                format!("what follows the ruleset is passed over, from {} on", self.peek());
            ruleset.warnings.push(Problem { place: self.peek().place, message });
        }
        ruleset
    }

    /// `Rules = [ … ]`: the items that can be read.
    fn list<T>(&mut self, item: fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        self.next();
        self.expect("=")?;
        self.expect("[")?;
        let mut items = Vec::new();
        if self.accept("]") {
            return Ok(items);
        }
        loop {
            let start = self.at;
            match item(self) {
                Ok(item) if self.peek().is(",") || self.peek().is("]") => items.push(item),
                Ok(_) => {
                    let problem = self.unexpected("a comma or ] after the rule");
                    self.problems.push(problem);
                    self.skip_item(start);
                }
                Err(problem) => {
                    self.problems.push(problem);
                    self.skip_item(start);
                }
            }
            if !self.accept(",") {
                break;
            }
        }
        self.expect("]")?;
        Ok(items)
    }

    fn analyzer(&mut self) -> Parsed<Analyzer> {
        let (place, rule_type) = self.rule_type()?;
        let parameters = self.parameters()?;
        let signature = signature(rule_type, place, parameters.len())?;
        if signature.returns == [Returns::Boolean] {
            let message = format!("{rule_type} answers yes or no, and is no analyzer");
            return Err(Problem { place, message });
        }
        Ok(Analyzer { place, rule_type, parameters })
    }

    fn rule_type(&mut self) -> Parsed<(Place, RuleType)> {
        let token = self.peek().clone();
        if token.kind != Kind::Name {
            return Err(self.unexpected("a rule type"));
        }
        self.next();
        let unknown =
            |unknown: UnknownRuleType| Problem { place: token.place, message: unknown.to_string() };
        Ok((token.place, token.text.parse().map_err(unknown)?))
    }

    /// Texts, names and variables, each with `of` or `and` before it, if anything.
    fn parameters(&mut self) -> Parsed<Vec<Parameter>> {
        let mut parameters = Vec::new();
        loop {
            let connector = if self.is_parameter(1) {
                self.accept_any(&["of", "OF", "and", "AND"])
            } else {
                None
            };
            if connector.is_none() && !self.is_parameter(0) {
                return Ok(parameters);
            }
            let token = self.next();
            let (written, value) = match token.kind {
                Kind::Text => (token.text.to_owned(), unescaped(inner(token.text))),
                Kind::Name => (token.text.to_owned(), token.text.to_owned()),
                _ => self.variable_parameter()?,
            };
            parameters.push(Parameter { connector, written, value });
        }
    }

    /// Whether the token `ahead` begins a parameter.
    fn is_parameter(&self, ahead: usize) -> bool {
        let token = &self.tokens[(self.at + ahead).min(self.tokens.len() - 1)];
        matches!(token.kind, Kind::Text | Kind::Name) || token.is("$")
    }

    /// `$name`, of which `$` has been read.
    fn variable_parameter(&mut self) -> Parsed<(String, String)> {
        let name = self.name("a variable's name after $")?;
        match self.variables.get(name.text) {
            Some(Variable::Text(text)) => Ok((format!("${}", name.text), text.clone())),
            Some(Variable::Texts(_)) => {
                let message =
                    format!("${} is a list of texts, and one text is asked for", name.text);
                Err(Problem { place: name.place, message })
            }
            None => Err(no_variable(&name)),
        }
    }

    fn name(&mut self, expected: &str) -> Parsed<Token<'a>> {
        if self.peek().kind == Kind::Name {
            Ok(self.next())
        } else {
            Err(self.unexpected(expected))
        }
    }

    fn quoted(&mut self, expected: &str) -> Parsed<Quoted<'a>> {
        if self.peek().kind != Kind::Text {
            return Err(self.unexpected(expected));
        }
        let token = self.next();
        Ok(Quoted { place: token.place, written: token.text, value: unescaped(inner(token.text)) })
    }

    fn peek(&self) -> &Token<'a> {
        &self.tokens[self.at]
    }

    /// The end is never passed.
    fn next(&mut self) -> Token<'a> {
        let token = self.tokens[self.at].clone();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    fn accept(&mut self, mark: &str) -> bool {
        let found = self.peek().is(mark);
        if found {
            self.next();
        }
        found
    }

    fn accept_any(&mut self, marks: &[&'static str]) -> Option<&'static str> {
        let found = marks.iter().find(|mark| self.peek().is(mark)).copied();
        if found.is_some() {
            self.next();
        }
        found
    }

    fn expect(&mut self, mark: &str) -> Parsed<()> {
        if self.accept(mark) { Ok(()) } else { Err(self.unexpected(&format!("`{mark}`"))) }
    }

    fn unexpected(&self, expected: &str) -> Problem {
        let found = self.peek();
        Problem { place: found.place, message: format!("expected {expected}, found {found}") }
    }

    /// Notes a problem, and goes on at the next section.
    fn recover(&mut self, done: Parsed<()>) {
        let Err(problem) = done else { return };
        self.problems.push(problem);
        while self.peek().kind != Kind::End
            && SECTIONS.iter().all(|section| !self.peek().is(section))
        {
            self.next();
        }
    }

    /// Goes on behind the item that begins at `start`: at the comma or bracket after it, or the next section.
    fn skip_item(&mut self, start: usize) {
        self.at = start;
        let mut depth = 0_usize;
        loop {
            let token = self.peek();
            let opens = ["[", "(", "{"].iter().any(|mark| token.is(mark));
            let closes = ["]", ")", "}"].iter().any(|mark| token.is(mark));
            let ends = token.kind == Kind::End || SECTIONS.iter().any(|section| token.is(section));
            if ends || (depth == 0 && (token.is(",") || token.is("]"))) {
                return;
            }
            depth = if opens { depth + 1 } else { depth.saturating_sub(usize::from(closes)) };
            self.next();
        }
    }
}

struct Quoted<'a> {
    place: Place,
    /// With its quotes.
    written: &'a str,
    value: String,
}

/// The signature of a rule type that has so many parameters.
fn signature(rule_type: RuleType, place: Place, found: usize) -> Parsed<&'static Signature> {
    let accepts = |signature: &&Signature| signature.arity.accepts(found);
    rule_type.signatures().find(accepts).ok_or_else(|| {
        let expected: Vec<_> =
            rule_type.signatures().map(|signature| signature.arity.to_string()).collect();
        let expected = expected.join(" or ");
        Problem {
            place,
            message: format!("{rule_type} takes {expected} parameters, found {found}"),
        }
    })
}

fn no_variable(name: &Token<'_>) -> Problem {
    Problem { place: name.place, message: format!("there is no variable {}", name.text) }
}

fn inner(quoted: &str) -> &str {
    &quoted[1..quoted.len() - 1]
}

/// Without the backslashes before escaped characters.
fn unescaped(text: &str) -> String {
    let mut chars = text.chars();
    let mut plain = String::with_capacity(text.len());
    while let Some(c) = chars.next() {
        match c {
            '\\' => plain.extend(chars.next()),
            _ => plain.push(c),
        }
    }
    plain
}

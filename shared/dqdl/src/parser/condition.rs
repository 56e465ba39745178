//! Conditions. What kind of condition it is shows only behind the operator, so each kind is tried in Glue's order.

use super::rule::TagValue;
use super::{Parsed, Parser, TEXT_WORDS, Variable, inner, no_variable, unescaped};
use crate::condition::{
    Comparison, Condition, Date, Duration, Operator, Size, SizeUnit, Text, TimeUnit,
};
use crate::number::Number;
use crate::problem::Problem;
use crate::rule_type::{Returns, Signature};
use crate::token::Kind;

/// Marks that no condition begins with.
const OPERATORS: [&str; 10] = ["between", "in", "not", "matches", "=", "!", ">", ">=", "<", "<="];

/// What is computed is a tree as deep as it has operators.
const MOST_OPERATORS: usize = 100;

/// Units that a number must not be followed by.
const UNITS: [&str; 8] = ["days", "hours", "minutes", "B", "KB", "MB", "GB", "TB"];

type Operand<'a, T> = fn(&mut Parser<'a>) -> Parsed<T>;

impl<'a> Parser<'a> {
    /// The condition that begins here, if any does.
    pub(super) fn condition(&mut self) -> Parsed<Option<Condition>> {
        if !OPERATORS.iter().any(|operator| self.peek().is(operator)) {
            return Ok(None);
        }
        let mut farthest: Option<(usize, Problem)> = None;
        let kinds: [fn(&mut Self) -> Parsed<Condition>; 5] = [
            |p| p.numbers().map(Condition::Number),
            |p| p.texts().map(Condition::Text),
            |p| p.comparison(Self::date, false).map(Condition::Date),
            |p| p.comparison(Self::duration, false).map(Condition::Duration),
            |p| p.comparison(Self::size, false).map(Condition::Size),
        ];
        let (start, depth) = (self.at, self.depth);
        for kind in kinds {
            match kind(self) {
                Ok(condition) => return Ok(Some(condition)),
                Err(problem) => {
                    if farthest.as_ref().is_none_or(|(at, _)| self.at > *at) {
                        farthest = Some((self.at, problem));
                    }
                    (self.at, self.depth) = (start, depth);
                }
            }
        }
        Err(farthest.map(|(_, problem)| problem).expect("a kind has been tried"))
    }

    /// What a tag is held against.
    pub(super) fn tag_value(&mut self) -> Parsed<TagValue> {
        let start = self.at;
        let first = match self.numbers() {
            Ok(comparison) => return Ok(TagValue::Number(comparison)),
            Err(problem) => (self.at, problem),
        };
        self.at = start;
        self.texts()
            .map(TagValue::Text)
            .map_err(|problem| if self.at > first.0 { problem } else { first.1 })
    }

    fn numbers(&mut self) -> Parsed<Comparison<Number>> {
        let comparison = self.comparison(Self::number, false)?;
        if UNITS.iter().any(|unit| self.peek().is(unit)) {
            return Err(self.unexpected("no unit"));
        }
        Ok(comparison)
    }

    fn texts(&mut self) -> Parsed<Comparison<Text>> {
        let comparison = self.comparison(Self::text, true)?;
        match comparison.operator {
            Operator::Between
            | Operator::NotBetween
            | Operator::Greater
            | Operator::GreaterOrEqual
            | Operator::Less
            | Operator::LessOrEqual => Err(self.unexpected("= or in before a text")),
            Operator::Equal
            | Operator::NotEqual
            | Operator::In
            | Operator::NotIn
            | Operator::Matches
            | Operator::NotMatches => Ok(comparison),
        }
    }

    fn comparison<T>(&mut self, operand: Operand<'a, T>, of_texts: bool) -> Parsed<Comparison<T>> {
        let not = self.accept("not");
        let (operator, operands) = if self.accept("between") {
            let low = operand(self)?;
            if self.accept_any(&["and", "AND"]).is_none() {
                return Err(self.unexpected("`and`"));
            }
            let high = operand(self)?;
            (if not { Operator::NotBetween } else { Operator::Between }, vec![low, high])
        } else if self.accept("in") {
            let is_variable = of_texts && self.peek().is("$");
            let operands = if is_variable { vec![operand(self)?] } else { self.array(operand)? };
            (if not { Operator::NotIn } else { Operator::In }, operands)
        } else if of_texts && self.accept("matches") {
            if self.peek().kind != Kind::Text && !self.peek().is("$") {
                return Err(self.unexpected("a pattern in quotes"));
            }
            (if not { Operator::NotMatches } else { Operator::Matches }, vec![operand(self)?])
        } else if not {
            return Err(self.unexpected("`between`, `in` or `matches` after not"));
        } else {
            let operator = match self.accept_any(&["!", "=", ">=", ">", "<=", "<"]) {
                Some("!") => {
                    self.expect("=")?;
                    Operator::NotEqual
                }
                Some("=") => Operator::Equal,
                Some(">=") => Operator::GreaterOrEqual,
                Some(">") => Operator::Greater,
                Some("<=") => Operator::LessOrEqual,
                Some("<") => Operator::Less,
                _ => return Err(self.unexpected("a condition")),
            };
            (operator, vec![operand(self)?])
        };
        Ok(Comparison { operator, operands })
    }

    fn array<T>(&mut self, operand: Operand<'a, T>) -> Parsed<Vec<T>> {
        self.expect("[")?;
        let mut operands = Vec::new();
        loop {
            operands.push(operand(self)?);
            if !self.accept(",") {
                break;
            }
        }
        self.expect("]")?;
        Ok(operands)
    }

    fn number(&mut self) -> Parsed<Number> {
        let (place, mut operators) = (self.peek().place, 0);
        let mut left = self.single_number()?;
        while let Some(operator) = self.accept_any(&["+", "-", "*", "/"]) {
            operators += 1;
            if operators > MOST_OPERATORS {
                let message = format!("a number has more than {MOST_OPERATORS} operators");
                return Err(Problem { place, message });
            }
            let right = Box::new(self.single_number()?);
            let operator = operator.chars().next().expect("a mark is not empty");
            left = Number::Arithmetic { left: Box::new(left), operator, right };
        }
        Ok(left)
    }

    fn single_number(&mut self) -> Parsed<Number> {
        let token = self.peek().clone();
        if self.accept("(") {
            self.deeper(token.place)?;
            let inner = self.number()?;
            self.depth -= 1;
            self.expect(")")?;
            return Ok(Number::Group(Box::new(inner)));
        }
        if self.accept_any(&["null", "NULL"]).is_some() {
            return Ok(Number::Null);
        }
        if token.kind == Kind::Name {
            self.next();
            self.expect("(")?;
            self.deeper(token.place)?;
            let mut arguments = Vec::new();
            while !self.peek().is(")") {
                arguments.push(self.number()?);
                if !self.accept(",") {
                    break;
                }
                if self.peek().is(")") {
                    return Err(self.unexpected("a number"));
                }
            }
            self.depth -= 1;
            self.expect(")")?;
            return Ok(Number::Call { function: token.text.to_owned(), arguments });
        }
        let sign = if self.accept("-") { "-" } else { "" };
        match self.peek().kind {
            Kind::Whole | Kind::Decimal => {
                Ok(Number::Literal(format!("{sign}{}", self.next().text)))
            }
            _ => Err(self.unexpected("a number")),
        }
    }

    fn text(&mut self) -> Parsed<Text> {
        if self.accept("$") {
            return self.variable_texts();
        }
        match self.accept_any(&TEXT_WORDS) {
            Some("null" | "NULL") => return Ok(Text::Null),
            Some("empty" | "EMPTY") => return Ok(Text::Empty),
            Some(_) => return Ok(Text::WhitespacesOnly),
            None => {}
        }
        // Inside a list, and nowhere else, the canonical form has no escapes.
        let in_list =
            self.at > 0 && (self.tokens[self.at - 1].is("[") || self.tokens[self.at - 1].is(","));
        if self.peek().kind != Kind::Text {
            return Err(self.unexpected("a text in quotes"));
        }
        let written = inner(self.next().text);
        let value = unescaped(written);
        let written = if in_list { value.clone() } else { written.to_owned() };
        Ok(Text::Quoted { written, value })
    }

    /// `$name`, of which `$` has been read.
    fn variable_texts(&mut self) -> Parsed<Text> {
        let name = self.name("a variable's name after $")?;
        let values = match self.variables.get(name.text) {
            Some(Variable::Text(text)) => vec![text.clone()],
            Some(Variable::Texts(texts)) => texts.clone(),
            None => return Err(no_variable(&name)),
        };
        Ok(Text::Variable { name: name.text.to_owned(), values })
    }

    fn date(&mut self) -> Parsed<Date> {
        let token = self.peek().clone();
        match token.kind {
            Kind::Date => {
                self.next();
                return Ok(Date::Day(inner(token.text).to_owned()));
            }
            Kind::Time => {
                self.next();
                return Ok(Date::Time(inner(token.text).to_owned()));
            }
            _ => {}
        }
        if self.accept("now()") {
            return Ok(Date::Now);
        }
        if self.accept_any(&["null", "NULL"]).is_some() {
            return Ok(Date::Null);
        }
        if !self.accept("(") {
            return Err(self.unexpected("a date in quotes or now()"));
        }
        self.expect("now()")?;
        let sign = self.accept_any(&["-", "+"]);
        if sign.is_none() {
            return Err(self.unexpected("`-` or `+`"));
        }
        let duration = self.duration()?;
        self.expect(")")?;
        Ok(if sign == Some("-") { Date::NowMinus(duration) } else { Date::NowPlus(duration) })
    }

    fn duration(&mut self) -> Parsed<Duration> {
        let amount = self.whole::<u32>("a whole number of days, hours or minutes")?;
        let unit = match self.accept_any(&["days", "hours", "minutes"]) {
            Some("days") => TimeUnit::Days,
            Some("hours") => TimeUnit::Hours,
            Some(_) => TimeUnit::Minutes,
            None => return Err(self.unexpected("days, hours or minutes")),
        };
        Ok(Duration { amount, unit })
    }

    fn size(&mut self) -> Parsed<Size> {
        let amount = self.whole::<u32>("a whole number of bytes")?;
        let unit = match self.accept_any(&["B", "KB", "MB", "GB", "TB"]) {
            Some("B") => SizeUnit::B,
            Some("KB") => SizeUnit::KB,
            Some("MB") => SizeUnit::MB,
            Some("GB") => SizeUnit::GB,
            Some(_) => SizeUnit::TB,
            None => return Err(self.unexpected("B, KB, MB, GB or TB")),
        };
        Ok(Size { amount: i64::from(amount), unit })
    }

    fn whole<T: std::str::FromStr>(&mut self, expected: &str) -> Parsed<T> {
        let token = self.peek().clone();
        match (token.kind == Kind::Whole).then(|| token.text.parse()) {
            Some(Ok(amount)) => {
                self.next();
                Ok(amount)
            }
            Some(Err(_)) => {
                Err(Problem { place: token.place, message: format!("{} is too large", token.text) })
            }
            None => Err(self.unexpected(expected)),
        }
    }
}

impl Signature {
    /// The condition, if it is of a kind this rule takes.
    pub(super) fn condition(
        &self,
        condition: Option<Condition>,
    ) -> Result<Option<Condition>, String> {
        let rule_type = self.rule_type;
        let takes = |kind: Returns| self.returns.contains(&kind);
        let Some(condition) = condition else {
            return if takes(Returns::Boolean) {
                Ok(None)
            } else {
                Err(format!("{rule_type} needs a condition"))
            };
        };
        let kind = match &condition {
            Condition::Number(comparison) if takes(Returns::Size) => {
                return bytes(comparison).map(Condition::Size).map(Some);
            }
            Condition::Number(_) => Returns::Number,
            Condition::Text(_) => Returns::Text,
            Condition::Date(_) => Returns::Date,
            Condition::Duration(_) => Returns::Duration,
            Condition::Size(_) => Returns::Size,
        };
        if takes(kind) {
            return Ok(Some(condition));
        }
        Err(match self.returns {
            [Returns::Boolean] => format!("{rule_type} takes no condition, found {condition}"),
            _ => format!("{rule_type} takes no condition of this kind: {condition}"),
        })
    }
}

/// Plain numbers are bytes where a size is asked for.
fn bytes(comparison: &Comparison<Number>) -> Result<Comparison<Size>, String> {
    let operands = comparison.operands.iter().map(|number| match number {
        Number::Literal(text) => match text.parse::<f64>() {
            #[expect(clippy::cast_possible_truncation, reason = "it is whole and of 32 bits")]
            Ok(amount)
                if amount.fract() == 0.0
                    && amount.abs() <= f64::from(i32::MAX)
                    && !text.contains('.') =>
            {
                Ok(Size { amount: amount as i64, unit: SizeUnit::B })
            }
            _ => Err(format!("{text} is no whole number of bytes")),
        },
        other => Err(format!("{other} is no whole number of bytes")),
    });
    Ok(Comparison { operator: comparison.operator, operands: operands.collect::<Result<_, _>>()? })
}

//! What can be said of a path before there is an input: variables that are not passed,
//! and operators on what is never a number.

use super::tree::{Method, Node, Path, Predicate};
use super::value::Value;
use crate::sql::Failure;

/// What a part of a path always gives, where that is known.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Number,
    Text,
    Boolean,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Text => "varchar",
            Self::Boolean => "boolean",
        }
    }
}

/// Refuses a path that cannot be evaluated with the variables of these names.
pub(in crate::trino::functions::json) fn check(
    path: &Path,
    variables: &[String],
) -> Result<(), Failure> {
    Check { variables }.node(&path.root).map(drop)
}

struct Check<'a> {
    variables: &'a [String],
}

fn invalid(message: String) -> Failure {
    Failure::new("INVALID_PATH", message)
}

impl Check<'_> {
    fn node(&self, node: &Node) -> Result<Option<Kind>, Failure> {
        Ok(match node {
            Node::Context | Node::Current | Node::Null => None,
            Node::Last => Some(Kind::Number),
            Node::Variable(name) => {
                self.variable(name)?;
                None
            }
            Node::Literal(value) => Some(match value {
                Value::Text(_) => Kind::Text,
                Value::Boolean(_) => Kind::Boolean,
                _ => Kind::Number,
            }),
            Node::Member(base, _) | Node::Descendants(base, _) => {
                self.node(base)?;
                None
            }
            Node::Members(base) | Node::Items(base) => {
                self.node(base)?;
                None
            }
            Node::Subscripts(base, subscripts) => {
                self.node(base)?;
                for subscript in subscripts {
                    self.node(&subscript.from)?;
                    subscript.to.as_ref().map(|to| self.node(to)).transpose()?;
                }
                None
            }
            Node::Filter(base, predicate) => {
                let kind = self.node(base)?;
                self.predicate(predicate)?;
                kind
            }
            Node::Method(base, method) => method_kind(*method, self.node(base)?)?,
            Node::Sign { of, .. } => match self.node(of)? {
                Some(kind) if kind != Kind::Number => {
                    return Err(invalid(format!(
                        "invalid operand type ({}) in JSON path arithmetic unary expression",
                        kind.name()
                    )));
                }
                kind => kind,
            },
            Node::Binary(_, left, right) => match (self.node(left)?, self.node(right)?) {
                (Some(Kind::Number), Some(Kind::Number)) => Some(Kind::Number),
                (Some(left), Some(right)) => {
                    return Err(invalid(format!(
                        "invalid operand types ({} and {}) in JSON path arithmetic binary expression",
                        left.name(),
                        right.name()
                    )));
                }
                _ => None,
            },
        })
    }

    fn predicate(&self, predicate: &Predicate) -> Result<(), Failure> {
        match predicate {
            Predicate::Compare(_, left, right) | Predicate::StartsWith(left, right) => {
                self.node(left)?;
                self.node(right)?;
            }
            Predicate::Exists(path) => drop(self.node(path)?),
            Predicate::Not(inner) | Predicate::IsUnknown(inner) => self.predicate(inner)?,
            Predicate::All(parts) | Predicate::Any(parts) => {
                parts.iter().try_for_each(|part| self.predicate(part))?;
            }
        }
        Ok(())
    }

    /// Names in a path have case, and those without quotes in SQL are in capitals.
    fn variable(&self, name: &str) -> Result<(), Failure> {
        if self.variables.iter().any(|variable| variable == name) {
            return Ok(());
        }
        let hint = if self.variables.iter().any(|variable| variable.eq_ignore_ascii_case(name)) {
            format!(". Try quoting \"{name}\" in the PASSING clause to match case")
        } else {
            String::new()
        };
        Err(invalid(format!("no value passed for parameter {name}{hint}")))
    }
}

/// What a method gives of what it is called on.
fn method_kind(method: Method, of: Option<Kind>) -> Result<Option<Kind>, Failure> {
    let refused = |name: &str, kind: Kind| {
        invalid(format!("cannot perform JSON path {name}() method with {} argument", kind.name()))
    };
    match (method, of) {
        (Method::Type, _) => Ok(Some(Kind::Text)),
        (Method::Size, _) => Ok(Some(Kind::Number)),
        (Method::KeyValue, _) => Ok(None),
        (Method::Double, Some(Kind::Boolean)) => Err(refused("double", Kind::Boolean)),
        (Method::Double, _) => Ok(Some(Kind::Number)),
        (Method::Ceiling, Some(kind)) if kind != Kind::Number => Err(refused("ceiling", kind)),
        (Method::Floor, Some(kind)) if kind != Kind::Number => Err(refused("floor", kind)),
        (Method::Abs, Some(kind)) if kind != Kind::Number => Err(refused("abs", kind)),
        (Method::Ceiling | Method::Floor | Method::Abs, kind) => Ok(kind),
    }
}

//! What a template's names stand for: parameters, conditions, mappings, pseudo parameters,
//! and the physical names and attributes of its resources.
use std::cell::RefCell;
use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::document::{Content, Entry, Node, Place, Problem};
use super::identity::{self, Identity};

/// The account a stack stands in.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: String,
    pub region: String,
    /// `http://127.0.0.1:4566`, of which queue URLs are made.
    pub endpoint: String,
    pub stack_name: String,
}

impl Account {
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.id)
    }
}

/// Resolves the functions of one template.
#[derive(Debug)]
pub struct Scope<'t> {
    pub account: &'t Account,
    parameters: BTreeMap<&'t str, Value>,
    conditions: BTreeMap<&'t str, &'t Node>,
    mappings: BTreeMap<&'t str, &'t Node>,
    resources: BTreeMap<&'t str, &'t Node>,
    /// Logical ids whose names are being worked out: one that comes round again is a cycle.
    open: RefCell<Vec<String>>,
}

impl<'t> Scope<'t> {
    /// Reads the template's sections; every parameter gets its override or its default.
    pub fn new(
        root: &'t Node,
        overrides: &BTreeMap<String, String>,
        account: &'t Account,
    ) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let section = |name: &str| match root.get(name).map(Node::entries) {
            None => Ok(&[][..]),
            Some(entries) => entries,
        };
        let by_name = |name: &str, problems: &mut Vec<Problem>| -> BTreeMap<&'t str, &'t Node> {
            let entries: &'t [Entry] = section(name).unwrap_or_else(|problem| {
                problems.push(problem);
                &[]
            });
            entries.iter().map(|entry| (entry.key.as_str(), &entry.value)).collect()
        };
        let declared = by_name("Parameters", &mut problems);
        let mut parameters = BTreeMap::new();
        for (name, declaration) in &declared {
            match parameter(name, declaration, overrides.get(*name)) {
                Ok(value) => drop(parameters.insert(*name, value)),
                Err(problem) => problems.push(problem),
            }
        }
        for name in overrides.keys().filter(|name| !declared.contains_key(name.as_str())) {
            problems.push(Problem::new(
                root.place,
                format!("the template has no parameter {name} to set"),
            ));
        }
        let conditions = by_name("Conditions", &mut problems);
        let mappings = by_name("Mappings", &mut problems);
        let resources = by_name("Resources", &mut problems);
        if problems.is_empty() {
            Ok(Self {
                account,
                parameters,
                conditions,
                mappings,
                resources,
                open: RefCell::default(),
            })
        } else {
            Err(problems)
        }
    }

    /// A node with every function worked out; `None` where it is `AWS::NoValue`.
    pub fn resolve(&self, node: &Node) -> Result<Option<Value>, Problem> {
        Ok(Some(match &node.content {
            Content::List(items) => {
                let items = items.iter().map(|item| self.resolve(item));
                Value::Array(items.filter_map(Result::transpose).collect::<Result<_, _>>()?)
            }
            Content::Map(entries) => {
                let mut map = Map::new();
                for entry in entries {
                    if let Some(value) = self.resolve(&entry.value)? {
                        map.insert(entry.key.clone(), value);
                    }
                }
                Value::Object(map)
            }
            Content::Call { function, argument } => {
                return self.call(function, argument, node.place);
            }
            scalar => scalar.scalar().expect("lists, maps and functions are above"),
        }))
    }

    fn call(
        &self,
        function: &str,
        argument: &Node,
        place: Place,
    ) -> Result<Option<Value>, Problem> {
        match function {
            "Ref" => self.reference(argument.literal()?, place),
            "GetAtt" => self.attribute(argument, place).map(Some),
            "Sub" => self.substitute(argument).map(Some),
            "Join" => self.join(argument).map(Some),
            "Select" => self.select(argument).map(Some),
            "Split" => {
                let [separator, text] = Self::arguments(argument)?;
                let (separator, text) = (self.text(separator)?, self.text(text)?);
                Ok(Some(text.split(separator.as_str()).collect()))
            }
            "If" => {
                let [condition, then, otherwise] = Self::arguments(argument)?;
                let holds = self.condition(condition.literal()?, condition.place)?;
                self.resolve(if holds { then } else { otherwise })
            }
            "FindInMap" => self.find_in_map(argument).map(Some),
            "Equals" | "Not" | "And" | "Or" | "Condition" => {
                self.holds_call(function, argument, place).map(|holds| Some(holds.into()))
            }
            "ImportValue" => Err(Problem::new(
                place,
                "ImportValue: other stacks do not exist locally; pass the value as a parameter",
            )),
            other => Err(Problem::new(
                place,
                format!(
                    "unknown function {other}: expected Ref, GetAtt, Sub, Join, Select, Split, If, FindInMap"
                ),
            )),
        }
    }

    fn reference(&self, name: &str, place: Place) -> Result<Option<Value>, Problem> {
        let account = self.account;
        Ok(Some(match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::AccountId" => json!(account.id),
            "AWS::Region" => json!(account.region),
            "AWS::Partition" => json!("aws"),
            "AWS::URLSuffix" => json!("amazonaws.com"),
            "AWS::StackName" => json!(account.stack_name),
            "AWS::StackId" => {
                json!(account.arn("cloudformation", &format!("stack/{}/local", account.stack_name)))
            }
            "AWS::NotificationARNs" => json!([]),
            name => match self.parameters.get(name) {
                Some(value) => value.clone(),
                None => json!(self.identity(name, place)?.reference),
            },
        }))
    }

    fn attribute(&self, argument: &Node, place: Place) -> Result<Value, Problem> {
        let (resource, attribute) = match &argument.content {
            Content::Text(path) => path
                .split_once('.')
                .map(|(resource, attribute)| (resource.to_owned(), attribute.to_owned())),
            Content::List(parts) => match parts.as_slice() {
                [resource, attribute] => {
                    Some((resource.literal()?.to_owned(), self.text(attribute)?))
                }
                _ => None,
            },
            _ => None,
        }
        .ok_or_else(|| Problem::new(place, "GetAtt: expected Resource.Attribute"))?;
        let identity = self.identity(&resource, place)?;
        identity.attribute(&attribute).map(Value::from).ok_or_else(|| {
            let known: Vec<&str> = identity.attributes.iter().map(|(name, _)| *name).collect();
            Problem::new(
                place,
                format!(
                    "{resource} has no attribute {attribute}: expected one of {}",
                    known.join(", ")
                ),
            )
        })
    }

    fn substitute(&self, argument: &Node) -> Result<Value, Problem> {
        let (template, extra) = match &argument.content {
            Content::List(parts) => match parts.as_slice() {
                [template, extra] => (template, extra.entries()?),
                _ => {
                    return Err(Problem::new(
                        argument.place,
                        "Sub: expected a text, or a text and a map",
                    ));
                }
            },
            _ => (argument, &[][..]),
        };
        let mut rest = template.literal()?;
        let mut text = String::new();
        while let Some(start) = rest.find("${") {
            text.push_str(&rest[..start]);
            let Some(length) = rest[start..].find('}') else { break };
            let name = &rest[start + 2..start + length];
            if let Some(literal) = name.strip_prefix('!') {
                text.extend(["${", literal, "}"]);
            } else if let Some(entry) = extra.iter().find(|entry| entry.key == name) {
                text.push_str(&self.text(&entry.value)?);
            } else if let Some((resource, attribute)) = name.split_once('.') {
                let path = Node {
                    place: template.place,
                    content: Content::Text(format!("{resource}.{attribute}")),
                };
                text.push_str(&plain(&self.attribute(&path, template.place)?));
            } else {
                text.push_str(&plain(&self.reference(name, template.place)?.unwrap_or_default()));
            }
            rest = &rest[start + length + 1..];
        }
        text.push_str(rest);
        Ok(Value::String(text))
    }

    fn join(&self, argument: &Node) -> Result<Value, Problem> {
        let [separator, list] = Self::arguments(argument)?;
        let separator = self.text(separator)?;
        match self.resolve(list)? {
            Some(Value::Array(items)) => {
                Ok(items.iter().map(plain).collect::<Vec<_>>().join(&separator).into())
            }
            _ => Err(Problem::new(list.place, "Join: expected a list")),
        }
    }

    fn select(&self, argument: &Node) -> Result<Value, Problem> {
        let [index, list] = Self::arguments(argument)?;
        let at: usize = self
            .text(index)?
            .parse()
            .map_err(|_| Problem::new(index.place, "Select: expected an index"))?;
        match self.resolve(list)? {
            Some(Value::Array(items)) => items.get(at).cloned().ok_or_else(|| {
                Problem::new(list.place, format!("Select: index {at} of a list of {}", items.len()))
            }),
            _ => Err(Problem::new(list.place, "Select: expected a list")),
        }
    }

    fn find_in_map(&self, argument: &Node) -> Result<Value, Problem> {
        let [map, first, second] = Self::arguments(argument)?;
        let (name, first_key, second_key) =
            (self.text(map)?, self.text(first)?, self.text(second)?);
        let found = self
            .mappings
            .get(name.as_str())
            .and_then(|map| map.get(&first_key))
            .and_then(|map| map.get(&second_key));
        let missing = || {
            Problem::new(
                argument.place,
                format!("FindInMap: nothing at {name}.{first_key}.{second_key}"),
            )
        };
        self.resolve(found.ok_or_else(missing)?)?.ok_or_else(missing)
    }

    /// Whether a condition of the template holds.
    pub fn condition(&self, name: &str, place: Place) -> Result<bool, Problem> {
        let condition = self
            .conditions
            .get(name)
            .ok_or_else(|| Problem::new(place, format!("unknown condition {name}")))?;
        self.enter(name, place, || self.holds(condition))
    }

    fn holds(&self, node: &Node) -> Result<bool, Problem> {
        match &node.content {
            Content::Call { function, argument } => self.holds_call(function, argument, node.place),
            Content::Map(entries) if entries.len() == 1 && entries[0].key == "Condition" => {
                self.condition(entries[0].value.literal()?, node.place)
            }
            _ => Err(Problem::new(
                node.place,
                "expected a condition: Equals, Not, And, Or, Condition",
            )),
        }
    }

    fn holds_call(&self, function: &str, argument: &Node, place: Place) -> Result<bool, Problem> {
        let all = || match &argument.content {
            Content::List(items) => {
                items.iter().map(|item| self.holds(item)).collect::<Result<Vec<_>, _>>()
            }
            _ => Err(Problem::new(place, format!("{function}: expected a list of conditions"))),
        };
        match function {
            "Equals" => {
                let [left, right] = Self::arguments(argument)?;
                Ok(self.text(left)? == self.text(right)?)
            }
            "Not" => Ok(!all()?.first().copied().unwrap_or_default()),
            "And" => Ok(all()?.into_iter().all(|holds| holds)),
            "Or" => Ok(all()?.into_iter().any(|holds| holds)),
            "Condition" => self.condition(argument.literal()?, place),
            _ => Err(Problem::new(place, format!("{function} is no condition"))),
        }
    }

    /// The physical name, `Ref` value and attributes of a resource, generated ones too.
    pub fn identity(&self, logical_id: &str, place: Place) -> Result<Identity, Problem> {
        self.enter(logical_id, place, || match self.resources.get(logical_id) {
            Some(resource) => identity::of(self, logical_id, resource),
            None => identity::generated(self, logical_id, &self.resources).ok_or_else(|| {
                Problem::new(
                    place,
                    format!("{logical_id} is no parameter and no resource of this template"),
                )
            }),
        })
    }

    fn enter<T>(
        &self,
        name: &str,
        place: Place,
        work: impl FnOnce() -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        if self.open.borrow().iter().any(|open| open == name) {
            return Err(Problem::new(place, format!("{name} depends on itself")));
        }
        self.open.borrow_mut().push(name.to_owned());
        let result = work();
        self.open.borrow_mut().pop();
        result
    }

    fn arguments<const N: usize>(argument: &Node) -> Result<[&Node; N], Problem> {
        match &argument.content {
            Content::List(items) if items.len() == N => {
                Ok(std::array::from_fn(|index| &items[index]))
            }
            other => Err(Problem::new(
                argument.place,
                format!("expected a list of {N}, found {}", other.kind()),
            )),
        }
    }

    /// A value where a text must stand.
    pub fn text(&self, node: &Node) -> Result<String, Problem> {
        match self.resolve(node)? {
            Some(Value::Array(_) | Value::Object(_)) | None => Err(Problem::new(
                node.place,
                format!("expected a text, found {}", node.content.kind()),
            )),
            Some(value) => Ok(plain(&value)),
        }
    }
}

/// A scalar as `CloudFormation` puts it into a text.
pub fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn parameter(name: &str, declaration: &Node, given: Option<&String>) -> Result<Value, Problem> {
    let place = declaration.place;
    let default = declaration
        .get("Default")
        .and_then(|node| node.content.scalar())
        .map(|value| plain(&value));
    let text = given.cloned().or(default).ok_or_else(|| {
        Problem::new(place, format!("parameter {name} has no default and was not set"))
    })?;
    if let Some(Node { content: Content::List(allowed), .. }) = declaration.get("AllowedValues") {
        let allowed: Vec<String> = allowed
            .iter()
            .filter_map(|node| node.content.scalar())
            .map(|value| plain(&value))
            .collect();
        if !allowed.contains(&text) {
            return Err(Problem::new(
                place,
                format!("parameter {name}: expected one of {}, found {text:?}", allowed.join(", ")),
            ));
        }
    }
    match declaration.get("Type").and_then(Node::as_str) {
        Some("Number") => text
            .parse::<i64>()
            .map(Value::from)
            .or_else(|_| text.parse::<f64>().map(Value::from))
            .map_err(|_| {
                Problem::new(place, format!("parameter {name}: expected a number, found {text:?}"))
            }),
        Some("CommaDelimitedList" | "List<Number>") => Ok(text.split(',').map(str::trim).collect()),
        Some("String") => Ok(Value::String(text)),
        other => Err(Problem::new(
            place,
            format!("parameter {name}: unknown type {}", other.unwrap_or("(none)")),
        )),
    }
}

//! What an expression names that it does not make itself: variables, functions, members of
//! `$states`, and fields of a context that Step Functions does not have.

use std::collections::BTreeSet;

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};

/// Built-in functions of `JSONata` 2.0.6 and those Step Functions adds, without `eval`, which it
/// takes away.
/// Source: <https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html>.
const FUNCTIONS: &[&str] = &[
    "abs",
    "append",
    "assert",
    "average",
    "base64decode",
    "base64encode",
    "boolean",
    "ceil",
    "clone",
    "contains",
    "count",
    "decodeUrl",
    "decodeUrlComponent",
    "distinct",
    "each",
    "encodeUrl",
    "encodeUrlComponent",
    "error",
    "exists",
    "filter",
    "floor",
    "formatBase",
    "formatInteger",
    "formatNumber",
    "fromMillis",
    "hash",
    "join",
    "keys",
    "length",
    "lookup",
    "lowercase",
    "map",
    "match",
    "max",
    "merge",
    "millis",
    "min",
    "not",
    "now",
    "number",
    "pad",
    "parse",
    "parseInteger",
    "partition",
    "power",
    "random",
    "range",
    "reduce",
    "replace",
    "reverse",
    "round",
    "shuffle",
    "sift",
    "single",
    "sort",
    "split",
    "spread",
    "sqrt",
    "string",
    "substring",
    "substringAfter",
    "substringBefore",
    "sum",
    "toMillis",
    "trim",
    "type",
    "uppercase",
    "uuid",
    "zip",
];

/// The free names of one expression.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// `$name`, read or called, where the expression itself does not bind it and no function has it.
    pub variables: BTreeSet<String>,
    /// Those whose existence is asked for by `$exists`.
    pub tested: BTreeSet<String>,
    /// What follows `$states`: `["errorOutput", "Cause"]`.
    pub states: BTreeSet<Vec<String>>,
    /// Fields read from the expression's own context, which is empty in Step Functions.
    pub context_fields: BTreeSet<String>,
    /// `$$`
    pub root: bool,
}

impl Names {
    pub fn of(expression: &AstNode) -> Self {
        let mut walk = Walk { names: Self::default(), bound: Vec::new(), tested: false };
        walk.node(expression, Context::Empty);
        walk.names
    }

    fn is_function(name: &str) -> bool {
        FUNCTIONS.contains(&name)
    }
}

/// What a field's name is looked up in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    /// The expression's own: nothing.
    Empty,
    /// A step of a path, a predicate, a function's body.
    Inner,
}

struct Walk {
    names: Names,
    bound: Vec<String>,
    tested: bool,
}

impl Walk {
    fn node(&mut self, node: &AstNode, context: Context) {
        match node {
            AstNode::Name(name) => self.field(name, context),
            AstNode::Variable(name) => self.variable(name),
            AstNode::ParentVariable(_) => self.names.root = true,
            AstNode::Path { steps } => self.path(steps, context),
            AstNode::Binary { op, lhs, rhs } => self.binary(*op, lhs, rhs, context),
            AstNode::Unary { operand, .. } => self.node(operand, context),
            AstNode::Function { name, args, .. } => self.function(name, args, context),
            AstNode::Call { procedure, args } => {
                self.node(procedure, context);
                self.all(args, context);
            }
            AstNode::Lambda { params, body, .. } => self.scoped(|walk| {
                walk.bound.extend(params.iter().cloned());
                walk.node(body, Context::Inner);
            }),
            AstNode::Array(items) | AstNode::ArrayGroup(items) => self.all(items, context),
            AstNode::Object(members) => self.members(members, context),
            AstNode::ObjectTransform { input, pattern } => {
                self.node(input, context);
                self.members(pattern, Context::Inner);
            }
            AstNode::Block(expressions) => self.scoped(|walk| walk.all(expressions, context)),
            AstNode::Conditional { condition, then_branch, else_branch } => {
                self.node(condition, context);
                self.node(then_branch, context);
                if let Some(branch) = else_branch {
                    self.node(branch, context);
                }
            }
            AstNode::FunctionApplication(inner) => self.node(inner, Context::Inner),
            AstNode::Sort { input, terms } => {
                self.node(input, context);
                for (term, _) in terms {
                    self.node(term, Context::Inner);
                }
            }
            AstNode::Transform { location, update, delete } => {
                self.node(location, Context::Inner);
                self.node(update, Context::Inner);
                if let Some(delete) = delete {
                    self.node(delete, Context::Inner);
                }
            }
            AstNode::String(_)
            | AstNode::Number(_)
            | AstNode::Boolean(_)
            | AstNode::Null
            | AstNode::Undefined
            | AstNode::Placeholder
            | AstNode::Regex { .. }
            | AstNode::Wildcard
            | AstNode::Descendant
            | AstNode::Parent(_) => {}
        }
    }

    fn all(&mut self, nodes: &[AstNode], context: Context) {
        for node in nodes {
            self.node(node, context);
        }
    }

    fn members(&mut self, members: &[(AstNode, AstNode)], context: Context) {
        for (key, value) in members {
            self.node(key, context);
            self.node(value, context);
        }
    }

    /// Runs `work`; what it binds ends with it.
    fn scoped(&mut self, work: impl FnOnce(&mut Self)) {
        let outer = self.bound.len();
        work(self);
        self.bound.truncate(outer);
    }

    fn field(&mut self, name: &str, context: Context) {
        if context == Context::Empty {
            self.names.context_fields.insert(name.to_owned());
        }
    }

    fn variable(&mut self, name: &str) {
        let names = match name {
            // `$`, the context.
            "" => return,
            "$" => {
                self.names.root = true;
                return;
            }
            "states" => {
                self.names.states.insert(Vec::new());
                return;
            }
            name if Names::is_function(name) || self.bound.iter().any(|bound| bound == name) => {
                return;
            }
            _ if self.tested => &mut self.names.tested,
            _ => &mut self.names.variables,
        };
        names.insert(name.to_owned());
    }

    fn path(&mut self, steps: &[PathStep], context: Context) {
        for (at, step) in steps.iter().enumerate() {
            match &step.node {
                AstNode::Variable(name) if at == 0 && name == "states" => self.states(steps),
                node if at == 0 => self.node(node, context),
                node => self.node(node, Context::Inner),
            }
            for stage in &step.stages {
                if let Stage::Filter(filter) = stage {
                    self.node(filter, Context::Inner);
                }
            }
            self.bound.extend(step.focus.iter().chain(&step.index_var).cloned());
        }
    }

    /// `$states.errorOutput.Cause`: the names that follow.
    fn states(&mut self, steps: &[PathStep]) {
        let names = steps[1..].iter().map_while(|step| match &step.node {
            AstNode::Name(name) | AstNode::String(name) => Some(name.clone()),
            _ => None,
        });
        self.names.states.insert(names.collect());
    }

    fn binary(&mut self, op: BinaryOp, lhs: &AstNode, rhs: &AstNode, context: Context) {
        match (op, lhs, rhs) {
            (BinaryOp::ColonEqual, AstNode::Variable(name), value) => {
                // A function may call itself by the name it is given.
                if matches!(value, AstNode::Lambda { .. }) {
                    self.bound.push(name.clone());
                }
                self.node(value, context);
                self.bound.push(name.clone());
            }
            (BinaryOp::FocusBind | BinaryOp::IndexBind, input, AstNode::Variable(name)) => {
                self.node(input, context);
                self.bound.push(name.clone());
            }
            (_, lhs, rhs) => {
                self.node(lhs, context);
                self.node(rhs, context);
            }
        }
    }

    fn function(&mut self, name: &str, args: &[AstNode], context: Context) {
        self.variable(name);
        let outer = self.tested;
        self.tested |= name == "exists";
        self.all(args, context);
        self.tested = outer;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Free variables, those only tested, and paths below `$states`.
    fn check(expression: &str, variables: &[&str], tested: &[&str], states: &[&str]) {
        let names = Names::of(&jsonata_core::parser::parse(expression).unwrap());
        let joined: Vec<_> = names.states.iter().map(|path| path.join(".")).collect();
        assert_eq!(names.variables.iter().collect::<Vec<_>>(), variables, "{expression}");
        assert_eq!(names.tested.iter().collect::<Vec<_>>(), tested, "{expression}");
        assert_eq!(joined, states, "{expression}");
    }

    #[test]
    fn free_names_are_those_an_expression_does_not_bind() {
        check("$states.input.a[b = $x].c", &["x"], &[], &["input.a.c"]);
        check(
            "$exists($y) ? $y : $states.errorOutput.Cause",
            &["y"],
            &["y"],
            &["errorOutput.Cause"],
        );
        check("($a := 1; $a + $b)", &["b"], &[], &[]);
        check("$map($items, function($v, $i) { $v & $i & $k })", &["items", "k"], &[], &[]);
        check("($f := function($n) { $n < 1 ? 1 : $n * $f($n - 1) }; $f($m))", &["m"], &[], &[]);
        check("$items.{'id': id, 'at': $at}", &["at", "items"], &[], &[]);
        check("$map([1, 2], $string)", &[], &[], &[]);
        check("$nosuch(1)", &["nosuch"], &[], &[]);
        check("$states", &[], &[], &[""]);
        check("$merge([$states.input, {'x': $uuid()}])", &[], &[], &["input"]);
    }

    #[test]
    fn fields_of_the_empty_context_are_told() {
        for (expression, fields) in [
            ("phone", &["phone"][..]),
            ("phone.number & ' ' & $x.name", &["phone"]),
            ("$states.input.phone[type = 'home']", &[]),
            ("{'a': b}", &["b"]),
            ("$sum($states.input.items.price)", &[]),
        ] {
            let names = Names::of(&jsonata_core::parser::parse(expression).unwrap());
            assert_eq!(names.context_fields.iter().collect::<Vec<_>>(), fields, "{expression}");
        }
        assert!(Names::of(&jsonata_core::parser::parse("$$.a").unwrap()).root);
    }
}

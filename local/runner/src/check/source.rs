//! A file of the project and the places of its parts.
use crate::template::{Content, Node, Place};

pub struct Source {
    pub file: String,
    /// `None` where the text cannot be read.
    pub root: Option<Node>,
}

impl Source {
    /// YAML, or JSON, which is YAML too.
    pub fn of(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), root: Node::parse(text).ok() }
    }

    /// The part at a path of keys and indexes.
    pub fn node(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self.root.as_ref()?, |node, key| node.get(key))
    }

    /// Where a path leads, or as far as it does.
    pub fn place<'p>(&self, path: impl IntoIterator<Item = &'p str>) -> Option<Place> {
        let mut node = self.root.as_ref()?;
        let mut place = node.place;
        for key in path {
            let Some((at, inner)) = step(node, key) else { break };
            (place, node) = (at, inner);
        }
        Some(place)
    }

    /// As [`Source::place`], for a JSON pointer.
    pub fn pointer(&self, pointer: &str) -> Option<Place> {
        let parts: Vec<String> = pointer
            .split('/')
            .skip(1)
            .map(|part| part.replace("~1", "/").replace("~0", "~"))
            .collect();
        self.place(parts.iter().map(String::as_str))
    }
}

/// The place of a key, or of an item, and what stands there.
fn step<'n>(node: &'n Node, key: &str) -> Option<(Place, &'n Node)> {
    match &node.content {
        Content::Map(entries) => {
            let entry = entries.iter().find(|entry| entry.key == key)?;
            Some((entry.place, &entry.value))
        }
        Content::List(items) => {
            let item = items.get(key.parse::<usize>().ok()?)?;
            Some((item.place, item))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_finds_its_line() {
        let text =
            "{\n  \"States\": {\n    \"A/1\": {\n      \"Retry\": [{ \"X\": 1 }]\n    }\n  }\n}\n";
        let source = Source::of("a.json", text);
        for (pointer, line, column) in [
            ("", 1, 1),
            ("/States/A~11", 3, 5),
            ("/States/A~11/Retry/0/X", 4, 19),
            ("/States/A~11/Missing", 3, 5),
        ] {
            assert_eq!(source.pointer(pointer), Some(Place { line, column }), "{pointer}");
        }
    }
}

//! Paths that are cut, doubled and mixed up: each is refused or evaluated, none brings a
//! thread of usual size down.

use super::{Place, evaluate, parse};
use crate::trino::functions::json::document::{Fractions, Json};

const PATHS: [&str; 6] = [
    "lax $.store.book[0, 2 to last]..title ? (@ starts with \"a\" || exists(@.b))",
    "strict $[*].\"a b\".keyvalue() ? (!(@.value == 1.5e0) && (@.id > 2) is unknown)",
    "lax -$.a.abs() * (2 + $.b.size()) % 3 - last",
    "lax $.*.type() ? (@ <> \"number\")",
    "strict $[last - 1].double().ceiling().floor()",
    "lax $x.a[$y] ? (@ != null)",
];
const DOCUMENT: &str =
    r#"{"a": [1, -2.5, {"a b": "x"}], "b": {"a": null}, "store": [[true]], "title": "t"}"#;

/// A generator of Marsaglia's kind: the same numbers each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }
}

/// Whether the text is a path.
fn visit(path: &str, document: &Json) -> bool {
    let Ok(path) = parse(path, Place { line: 1, column: 1 }) else { return false };
    // Errors of an evaluation are answers, too.
    let _ = evaluate(&path, document, &[]);
    true
}

#[test]
fn mutated_paths_are_refused_or_evaluated() {
    let document = Json::read(DOCUMENT, Fractions::Doubles).unwrap();
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut read = 0;
    for round in 0..6_000 {
        let mut path: Vec<char> = PATHS[round % PATHS.len()].chars().collect();
        for _ in 0..numbers.below(4) {
            let (from, to) = (numbers.below(path.len()), numbers.below(path.len()));
            match numbers.below(4) {
                0 => drop(path.remove(from)),
                1 => path.swap(from, to),
                2 => {
                    let part: Vec<char> = path[from.min(to)..from.max(to)].to_vec();
                    path.extend(part);
                }
                _ => path.insert(from, ['"', '(', '$', '.', '[', '1', 'é'][numbers.below(7)]),
            }
        }
        let path: String = path.into_iter().collect();
        read += usize::from(visit(&path, &document));
    }
    assert!(read > 1_000, "{read} were paths");
}

#[test]
fn deep_paths_and_documents_are_refused() {
    let deep = |open: &str, close: &str, times: usize| {
        format!("lax {}1{}", open.repeat(times), close.repeat(times))
    };
    let document = Json::read(DOCUMENT, Fractions::Doubles).unwrap();
    for (path, fits) in [
        (deep("(", ")", 50), true),
        (deep("(", ")", 5_000), false),
        (deep("-", "", 5_000), false),
        (deep("", "+1", 5_000), false),
        (format!("lax ${}", ".a".repeat(100)), true),
        (format!("lax ${}", ".a".repeat(400)), false),
        (deep("1[", "]", 5_000), false),
        (deep("$ ? (1 == ", ")", 5_000), false),
        (format!("lax $ ? ({} 1 == 1)", "1 == 2 || ".repeat(300)), true),
    ] {
        assert_eq!(visit(&path, &document), fits, "{}", &path[..60.min(path.len())]);
    }
    let nested = |times: usize| format!("{}{}", "[".repeat(times), "]".repeat(times));
    assert!(Json::read(&nested(1_000), Fractions::Kept).is_some());
    assert!(Json::read(&nested(1_001), Fractions::Kept).is_none());
}

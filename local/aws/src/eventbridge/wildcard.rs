//! `*` in patterns: any characters, also none; `\*` and `\\` stand for themselves.

/// Whether `text` has the shape of `pattern`.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut pieces = vec![String::new()];
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '*' => pieces.push(String::new()),
            '\\' => last(&mut pieces).extend(characters.next()),
            other => last(&mut pieces).push(other),
        }
    }
    let Some((first, rest)) = pieces.split_first() else {
        return false;
    };
    let Some(mut text) = text.strip_prefix(first.as_str()) else {
        return false;
    };
    let Some((end, between)) = rest.split_last() else {
        return text.is_empty();
    };
    for piece in between {
        // The earliest place leaves the most for the pieces after it.
        match text.find(piece.as_str()) {
            Some(at) => text = &text[at + piece.len()..],
            None => return false,
        }
    }
    text.ends_with(end.as_str())
}

fn last(pieces: &mut [String]) -> &mut String {
    pieces.last_mut().expect("there is one piece before the first star")
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, expected) in [
            ("a*c", "abc", true),
            ("a*c", "ac", true),
            ("a*c", "acd", false),
            ("*", "", true),
            ("a", "ab", false),
            ("*a*b*", "xxaxxbxx", true),
            ("a*a", "a", false),
            (r"a\*c", "a*c", true),
            (r"a\*c", "abc", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}

//! Listings: order, roll-up, pages.

use super::*;

/// Lists by pages of `max`, until there are no more.
fn pages(store: &Store, prefix: &str, delimiter: Option<&str>, max: usize) -> Vec<String> {
    let mut entries = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let query = ListQuery { prefix, delimiter, after: after.as_deref(), max };
        let page = store.list("bucket", query).unwrap();
        let count = page.objects.len() + page.prefixes.len();
        assert!(count <= max);
        let mut names: Vec<String> = page.objects.into_iter().map(|object| object.key).collect();
        names.extend(page.prefixes.into_iter().map(|prefix| format!("{prefix}*")));
        names.sort_unstable();
        entries.extend(names);
        match page.next {
            Some(next) => after = Some(next),
            None => return entries,
        }
        assert_eq!(count, max, "a page with a next one is full");
    }
}

#[test]
fn prefixes_delimiters_and_pages_agree() {
    let lake = lake();
    for key in [
        "a", "a/", "a/1", "a/2/x", "a/2/y", "a/3", "a0", "b//c", "b/d", "c-e-f", "c-g", "☃/1",
        "☃/2",
    ] {
        put(&lake.store, key, "");
    }
    let cases: [(&str, Option<&str>, &[&str]); 12] = [
        ("", Some("/"), &["a", "a/*", "a0", "b/*", "c-e-f", "c-g", "☃/*"]),
        ("a", Some("/"), &["a", "a/*", "a0"]),
        ("a/", Some("/"), &["a/", "a/1", "a/2/*", "a/3"]),
        ("a/2", Some("/"), &["a/2/*"]),
        ("a/2/", Some("/"), &["a/2/x", "a/2/y"]),
        ("b/", Some("/"), &["b//*", "b/d"]),
        ("c", Some("-"), &["c-*"]),
        ("c-", Some("-"), &["c-e-*", "c-g"]),
        ("☃", None, &["☃/1", "☃/2"]),
        ("a/", None, &["a/", "a/1", "a/2/x", "a/2/y", "a/3"]),
        ("nothing", Some("/"), &[]),
        ("a%", None, &[]),
    ];
    for (prefix, delimiter, expected) in cases {
        for max in [1, 2, 3, 1000] {
            assert_eq!(
                pages(&lake.store, prefix, delimiter, max),
                expected,
                "{prefix} {delimiter:?} {max}"
            );
        }
    }
}

#[test]
fn listings_begin_after() {
    let lake = lake();
    for key in ["a/1", "a/2", "b/1", "c"] {
        put(&lake.store, key, "");
    }
    for (prefix, delimiter, after, expected) in [
        ("", None, "a/1", &["a/2", "b/1", "c"][..]),
        ("", None, "a/10", &["a/2", "b/1", "c"]),
        ("", Some("/"), "a/1", &["a/*", "b/*", "c"]),
        ("", Some("/"), "a/", &["b/*", "c"]),
        ("b/", None, "a/1", &["b/1"]),
        ("a/", None, "z", &[]),
        ("", None, "", &["a/1", "a/2", "b/1", "c"]),
    ] {
        let query = ListQuery { prefix, delimiter, after: Some(after), max: 1000 };
        let page = lake.store.list("bucket", query).unwrap();
        let mut names: Vec<String> = page.objects.into_iter().map(|object| object.key).collect();
        names.extend(page.prefixes.into_iter().map(|prefix| format!("{prefix}*")));
        names.sort_unstable();
        assert_eq!(names, expected, "{prefix} {delimiter:?} {after}");
    }
    let query = ListQuery { prefix: "", delimiter: None, after: None, max: 0 };
    assert_eq!(lake.store.list("bucket", query).unwrap(), Listing::default());
    assert_eq!(code(lake.store.list("nope", query)), "NoSuchBucket");
}

/// A common prefix over many keys costs one step, not one for each key.
#[test]
fn roll_up_jumps() {
    let lake = lake();
    for i in 0..3000 {
        put(&lake.store, &format!("{}/{i:05}", i % 3), "");
    }
    assert_eq!(pages(&lake.store, "", Some("/"), 1), ["0/*", "1/*", "2/*"]);
    assert_eq!(pages(&lake.store, "", None, 1000).len(), 3000);
}

//! Versions and delete markers.

use super::*;

fn list(store: &Store, max: usize) -> Vec<(String, String, bool, bool)> {
    let mut entries = Vec::new();
    let mut marker: Option<VersionMarker> = None;
    loop {
        let after = marker.as_ref().map(|marker| marker.key.as_str());
        let version = marker.as_ref().and_then(|marker| marker.version_id.as_deref());
        let query = ListQuery { prefix: "", delimiter: None, after, max };
        let page = store.list_versions("bucket", query, version).unwrap();
        entries.extend(
            page.versions.into_iter().map(|v| (v.key, v.version_id, v.latest, v.delete_marker)),
        );
        match page.next {
            Some(next) => marker = Some(next),
            None => return entries,
        }
    }
}

#[test]
fn versions_come_and_go() {
    let lake = lake();
    let store = &lake.store;
    let null = put(store, "k", "0");
    assert_eq!(null.version_id, "null");
    store.set_versioning("bucket", Versioning::Enabled).unwrap();
    assert_eq!(code(store.set_versioning("bucket", Versioning::Off)), "InvalidArgument");
    let first = put(store, "k", "1").version_id;
    let second = put(store, "k", "2").version_id;
    put(store, "l", "other");
    let body = |version: &str| {
        let (object, mut reader) = store.get("bucket", "k", Some(version)).unwrap();
        reader.read(0..object.size).unwrap()
    };
    assert_eq!([body("null"), body(&first), body(&second)], ["0", "1", "2"]);
    assert_eq!(code(store.head("bucket", "k", Some("nope"))), "NoSuchVersion");

    let always = &WriteCondition::Always;
    let marker = store.delete("bucket", "k", None, always).unwrap();
    let marker_id = marker.version_id.clone().unwrap();
    assert!(marker.delete_marker);
    assert_eq!(code(store.head("bucket", "k", None)), "NoSuchKey");
    assert_eq!(code(store.head("bucket", "k", Some(&marker_id))), "MethodNotAllowed");
    assert_eq!(body(&second), "2");

    let k = |version: &str, latest, marker| ("k".to_owned(), version.to_owned(), latest, marker);
    let all: Vec<_> = list(store, 1000).into_iter().filter(|entry| entry.0 == "k").collect();
    let expected = [
        k(&marker_id, true, true),
        k(&second, false, false),
        k(&first, false, false),
        k("null", false, false),
    ];
    assert_eq!(all, expected);
    for max in [1, 2, 3, 5] {
        assert_eq!(list(store, max), list(store, 1000), "pages of {max}");
    }

    let removed = store.delete("bucket", "k", Some(&marker_id), always).unwrap();
    assert_eq!(removed, Deleted { version_id: Some(marker_id), delete_marker: true });
    assert_eq!(read(store, "k"), "2", "the object is back");
    store.delete("bucket", "k", Some(&second), always).unwrap();
    assert_eq!(read(store, "k"), "1");
}

#[test]
fn suspended_versioning_replaces_the_null_version() {
    let lake = lake();
    let store = &lake.store;
    store.set_versioning("bucket", Versioning::Enabled).unwrap();
    let kept = put(store, "k", "kept").version_id;
    store.set_versioning("bucket", Versioning::Suspended).unwrap();
    put(store, "k", "1");
    assert_eq!(put(store, "k", "2").version_id, "null");
    let deleted = store.delete("bucket", "k", None, &WriteCondition::Always).unwrap();
    assert_eq!(deleted, Deleted { version_id: Some("null".to_owned()), delete_marker: true });
    let listed: Vec<(String, bool)> = list(store, 10).into_iter().map(|v| (v.1, v.3)).collect();
    assert_eq!(listed, [("null".to_owned(), true), (kept, false)]);
}

#[test]
fn deleting_nothing_succeeds() {
    let lake = lake();
    let delete =
        |version| lake.store.delete("bucket", "k", version, &WriteCondition::Always).unwrap();
    assert_eq!(delete(None), Deleted::default());
    assert_eq!(delete(Some("null")), Deleted::default());
    lake.store.set_versioning("bucket", Versioning::Enabled).unwrap();
    assert!(!delete(Some("nope")).delete_marker);
    assert!(delete(None).delete_marker, "S3 marks what is not there, too");
}

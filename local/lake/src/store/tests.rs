//! The store from outside, as S3 would be asked.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Barrier;
use std::time::Duration;

use super::*;
use crate::Lake;

mod conditions;
mod listings;
mod streams;
mod uploads;
mod versions;

/// Names that a file system, a URL or a pattern would take for something else.
pub(super) const ODD_KEYS: [&str; 19] = [
    "a",
    "a/",
    "a/b",
    "a//b",
    "/a",
    "../x",
    "a/../../x",
    ".",
    "..",
    "a+b%2Fc",
    "%E2%98%83",
    "☃/ü/日本",
    "'; DROP TABLE objects; --",
    "`a` \"b\"",
    "a\0b",
    "a\nb",
    "C:\\x",
    ".key-61",
    "_*?[x]%",
];

fn lake() -> Lake {
    let lake = Lake::temporary().unwrap();
    lake.store.create_bucket("bucket", "us-east-1").unwrap();
    lake
}

fn put(store: &Store, key: &str, body: &str) -> Object {
    store.put("bucket", key, body.as_bytes(), PutOptions::default()).unwrap()
}

fn read(store: &Store, key: &str) -> String {
    String::from_utf8(store.read("bucket", key).unwrap().to_vec()).unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T, StoreError>) -> &'static str {
    result.unwrap_err().code()
}

#[test]
fn keys_are_opaque() {
    let lake = lake();
    let longest = format!("{}é", "k".repeat(1022));
    let keys: Vec<&str> = ODD_KEYS.into_iter().chain([longest.as_str()]).collect();
    for key in &keys {
        put(&lake.store, key, &format!("body of {key}"));
    }
    for key in &keys {
        assert_eq!(read(&lake.store, key), format!("body of {key}"));
    }
    let all = ListQuery { prefix: "", delimiter: None, after: None, max: 1000 };
    let listed: Vec<String> =
        lake.store.list("bucket", all).unwrap().objects.into_iter().map(|o| o.key).collect();
    let mut sorted = keys.clone();
    sorted.sort_unstable_by_key(|key| key.as_bytes());
    assert_eq!(listed, sorted);
    for key in &keys {
        lake.store.delete("bucket", key, None, &WriteCondition::Always).unwrap();
        assert_eq!(code(lake.store.head("bucket", key, None)), "NoSuchKey", "{key:?}");
    }
    for key in ["", &"k".repeat(1025)] {
        assert_eq!(
            code(lake.store.put("bucket", key, b"", PutOptions::default())),
            "KeyTooLongError"
        );
    }
}

#[test]
fn buckets_have_s3_names_and_settings() {
    let lake = Lake::temporary().unwrap();
    let store = &lake.store;
    for (name, good) in [
        ("abc", true),
        ("a.b-c.1", true),
        ("123", true),
        (&*"a".repeat(63), true),
        ("ab", false),
        (&*"a".repeat(64), false),
        ("Abc", false),
        ("a_c", false),
        ("-ab", false),
        ("ab-", false),
        ("a..b", false),
        ("127.0.0.1", false),
        ("../x", false),
    ] {
        assert_eq!(store.create_bucket(name, "us-east-1").is_ok(), good, "{name}");
    }
    assert_eq!(code(store.create_bucket("abc", "us-east-1")), "BucketAlreadyOwnedByYou");
    assert_eq!(store.buckets().unwrap().len(), 4);

    store.set_bucket_document("abc", "policy", Some("{}")).unwrap();
    assert_eq!(store.bucket_document("abc", "policy").unwrap().as_deref(), Some("{}"));
    store.set_bucket_document("abc", "policy", None).unwrap();
    assert_eq!(store.bucket_document("abc", "policy").unwrap(), None);
    assert_eq!(code(store.bucket_document("nope", "policy")), "NoSuchBucket");

    store.put("abc", "k", b"x", PutOptions::default()).unwrap();
    assert_eq!(code(store.delete_bucket("abc")), "BucketNotEmpty");
    store.delete("abc", "k", None, &WriteCondition::Always).unwrap();
    store.create_upload("abc", "k", Attributes::default()).unwrap();
    store.delete_bucket("abc").unwrap();
    assert_eq!(code(store.head("abc", "k", None)), "NoSuchBucket");
}

#[test]
fn attributes_and_tags_come_back() {
    let lake = lake();
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    let attributes = Attributes {
        headers: map(&[("content-type", "text/csv")]),
        metadata: map(&[("origin", "tlc ☃")]),
        checksums: map(&[("CRC32", "AAAAAA==")]),
        tags: map(&[("a", "b")]),
    };
    let options = PutOptions { attributes: attributes.clone(), ..PutOptions::default() };
    let object = lake.store.put("bucket", "k", b"hello", options).unwrap();
    assert_eq!(object.etag, "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(lake.store.head("bucket", "k", None).unwrap(), object);
    assert_eq!(object.attributes, attributes);

    let tagged = lake.store.set_tags("bucket", "k", None, map(&[("c", "d")])).unwrap();
    assert_eq!((tagged.attributes.tags, tagged.etag), (map(&[("c", "d")]), object.etag.clone()));

    let copy = |attributes| {
        let (source, target) = (("bucket", "k", None), ("bucket", "copy"));
        lake.store.copy(source, target, &WriteCondition::Always, attributes).unwrap()
    };
    assert_eq!(copy(None).attributes.headers, attributes.headers);
    let replaced = copy(Some(Attributes::default()));
    assert_eq!(replaced.attributes.headers, BTreeMap::new());
    assert_eq!(replaced.attributes.checksums, attributes.checksums);
    lake.store.delete("bucket", "k", None, &WriteCondition::Always).unwrap();
    assert_eq!(read(&lake.store, "copy"), "hello", "a copy outlives its source");
}

#[test]
fn bytes_go_with_the_last_object_that_names_them() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path()).unwrap();
    lake.store.create_bucket("bucket", "us-east-1").unwrap();
    let blobs = || {
        let folders = std::fs::read_dir(dir.path().join("objects")).unwrap();
        folders
            .map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count())
            .sum::<usize>()
    };
    put(&lake.store, "a", "1");
    put(&lake.store, "a", "2");
    assert_eq!(blobs(), 1, "an overwritten object's bytes are gone");
    let refused = PutOptions { condition: WriteCondition::Absent, ..PutOptions::default() };
    assert_eq!(code(lake.store.put("bucket", "a", b"3", refused)), "PreconditionFailed");
    assert_eq!(blobs(), 1, "a refused write leaves nothing");
    let (_, mut open) = lake.store.get("bucket", "a", None).unwrap();
    lake.store.delete("bucket", "a", None, &WriteCondition::Always).unwrap();
    assert_eq!(blobs(), 0);
    assert_eq!(open.read(0..1).unwrap(), "2", "an open object stays readable");
    drop(lake.store.blob().unwrap());
    assert_eq!(blobs(), 0, "an unfinished blob is removed");
}

#[test]
fn old_orphans_are_swept_at_open() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path()).unwrap();
    lake.store.create_bucket("bucket", "us-east-1").unwrap();
    put(&lake.store, "kept", "kept");
    let two_days_ago = std::time::SystemTime::now() - Duration::from_hours(48);
    let file = |path: &str, old: bool| {
        let path = dir.path().join("objects").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let file = std::fs::File::create(&path).unwrap();
        if old {
            file.set_modified(two_days_ago).unwrap();
        }
        path
    };
    let left = [file("tmp/0123", true), file("ab/abcd", true)];
    let young = file("tmp/4567", false);
    let blob = lake.store.head("bucket", "kept", None).unwrap().blob.unwrap();
    let kept = dir.path().join("objects").join(&blob[..2]).join(&blob);
    std::fs::File::options().write(true).open(kept).unwrap().set_modified(two_days_ago).unwrap();

    lake.database().install("UPDATE housekeeping SET done_at = 0").unwrap();
    let lake = Lake::open(dir.path()).unwrap();
    assert!(left.iter().all(|path| !path.exists()));
    assert!(young.exists(), "it may still be written to");
    assert_eq!(read(&lake.store, "kept"), "kept");
}

#[test]
fn events_are_told_where_they_are_wanted() {
    use ObjectEventKind::{Created, DeleteMarkerCreated, Deleted};

    let lake = lake();
    let mut events = lake.store.subscribe();
    put(&lake.store, "before", "x");
    lake.store.set_event_bridge("bucket", true).unwrap();
    put(&lake.store, "k", "hello");
    lake.store.copy(("bucket", "k", None), ("bucket", "c"), &WriteCondition::Always, None).unwrap();
    lake.store.delete("bucket", "k", None, &WriteCondition::Always).unwrap();
    lake.store.delete("bucket", "k", None, &WriteCondition::Always).unwrap();
    lake.store.set_versioning("bucket", Versioning::Enabled).unwrap();
    lake.store.delete("bucket", "c", None, &WriteCondition::Always).unwrap();
    let mut told = Vec::new();
    let mut sequencers = Vec::new();
    while let Ok(event) = events.try_recv() {
        told.push((event.kind, event.key, event.reason, event.size));
        sequencers.push(event.sequencer);
    }
    let expected = [
        (Created, "k", "PutObject", Some(5)),
        (Created, "c", "CopyObject", Some(5)),
        (Deleted, "k", "DeleteObject", None),
        (DeleteMarkerCreated, "c", "DeleteObject", None),
    ];
    assert_eq!(
        told,
        expected.map(|(kind, key, reason, size)| (kind, key.to_owned(), reason, size))
    );
    assert!(sequencers.is_sorted_by(|a, b| a < b), "{sequencers:?}");
}

/// Set for the child of [`a_killed_process_blocks_nobody`]: its data directory.
const CHILD: &str = "LAKE_TEST_WRITER";

#[test]
fn child_writes_until_it_is_killed() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let lake = Lake::open(dir.as_ref()).unwrap();
    for round in 0_u64.. {
        let body = "x".repeat(100_000) + &round.to_string();
        put(&lake.store, &format!("k{}", round % 7), &body);
        let upload = lake.store.create_upload("bucket", "up", Attributes::default()).unwrap();
        let mut writer = lake.store.blob().unwrap();
        writer.write_all(body.as_bytes()).unwrap();
        let blob = writer.finish().unwrap();
        lake.store.put_part(("bucket", "up", &upload.id), 1, blob, PartOptions::default()).unwrap();
    }
}

#[test]
fn a_killed_process_blocks_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let lake = Lake::open(dir.path()).unwrap();
    lake.store.create_bucket("bucket", "us-east-1").unwrap();
    for round in 0..5 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::tests::child_writes_until_it_is_killed"])
            .env(CHILD, dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let before = lake.store.head("bucket", "k6", None).ok().map(|object| object.sequence);
        while lake.store.head("bucket", "k6", None).ok().map(|object| object.sequence) == before {
            assert!(child.try_wait().unwrap().is_none(), "the writer ended by itself");
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let started = std::time::Instant::now();
        put(&lake.store, "mine", &round.to_string());
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        let all = ListQuery { prefix: "k", delimiter: None, after: None, max: 1000 };
        for object in lake.store.list("bucket", all).unwrap().objects {
            let body = read(&lake.store, &object.key);
            assert_eq!(body.len() as u64, object.size);
            assert!(body.starts_with(&"x".repeat(100_000)), "half an object is visible");
        }
    }
}

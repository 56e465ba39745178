//! Multipart uploads.

use super::*;

const FIVE_MIB: usize = 5 * 1024 * 1024;

fn part(store: &Store, id: &str, number: u32, body: &[u8]) -> CompletedPart {
    let mut writer = store.blob().unwrap();
    writer.write_all(body).unwrap();
    let blob = writer.finish().unwrap();
    let part = store.put_part(("bucket", "k", id), number, blob, PartOptions::default()).unwrap();
    CompletedPart { number, etag: part.etag }
}

#[test]
fn parts_become_one_object() {
    let lake = lake();
    let store = &lake.store;
    let mut attributes = Attributes::default();
    attributes.metadata.insert("a".to_owned(), "b".to_owned());
    let id = store.create_upload("bucket", "k", attributes.clone()).unwrap().id;
    let upload = ("bucket", "k", id.as_str());
    let last = part(store, &id, 7, b"end");
    part(store, &id, 2, b"replaced");
    let first = part(store, &id, 2, &vec![b'a'; FIVE_MIB]);
    part(store, &id, 3, b"not named");
    assert_eq!(store.upload("bucket", "k", &id).unwrap().1.len(), 3);
    assert_eq!(code(store.head("bucket", "k", None)), "NoSuchKey");

    let complete =
        |parts: &[CompletedPart]| store.complete_upload(upload, parts, PutOptions::default());
    assert_eq!(code(complete(&[])), "InvalidArgument");
    assert_eq!(code(complete(&[last.clone(), first.clone()])), "InvalidPartOrder");
    assert_eq!(code(complete(&[CompletedPart { number: 5, ..last.clone() }])), "InvalidPart");
    assert_eq!(
        code(complete(&[CompletedPart { etag: "x".to_owned(), ..last.clone() }])),
        "InvalidPart"
    );
    let object = complete(&[first.clone(), last]).unwrap();
    // md5(md5(5 MiB of a) ++ md5("end")), computed with another program.
    assert_eq!(object.etag, "cc8f6f16b44b75adde6349ab98aee432-2");
    assert_eq!(object.parts, [FIVE_MIB as u64, 3]);
    assert_eq!(object.attributes.metadata, attributes.metadata);
    let (_, mut reader) = store.get("bucket", "k", None).unwrap();
    assert_eq!(reader.read(FIVE_MIB as u64 - 1..object.size).unwrap(), "aend");
    assert_eq!(code(complete(&[first])), "NoSuchUpload");
}

#[test]
fn small_parts_are_refused_but_the_last() {
    let lake = lake();
    let id = lake.store.create_upload("bucket", "k", Attributes::default()).unwrap().id;
    let parts = [part(&lake.store, &id, 1, b"small"), part(&lake.store, &id, 2, b"last")];
    let complete =
        |parts| lake.store.complete_upload(("bucket", "k", &id), parts, PutOptions::default());
    assert_eq!(code(complete(&parts)), "EntityTooSmall");
    assert_eq!(complete(&parts[1..]).unwrap().size, 4);
}

#[test]
fn uploads_are_listed_and_aborted() {
    let lake = lake();
    let store = &lake.store;
    let start = |key| store.create_upload("bucket", key, Attributes::default()).unwrap().id;
    let (b, a) = (start("b"), start("a/1"));
    let listed = |prefix| -> Vec<String> {
        store.uploads("bucket", prefix).unwrap().into_iter().map(|upload| upload.id).collect()
    };
    assert_eq!(listed(""), [a.clone(), b.clone()]);
    assert_eq!(listed("a/"), std::slice::from_ref(&a));
    assert_eq!(code(store.abort_upload("bucket", "b", &a)), "NoSuchUpload");
    store.abort_upload("bucket", "a/1", &a).unwrap();
    assert_eq!(code(store.abort_upload("bucket", "a/1", &a)), "NoSuchUpload");
    assert_eq!(listed(""), [b]);
    for number in [0, 10_001] {
        let blob = store.blob().unwrap().finish().unwrap();
        let put = store.put_part(("bucket", "b", "x"), number, blob, PartOptions::default());
        assert_eq!(code(put), "InvalidArgument");
    }
}

#[test]
fn completing_is_conditional_too() {
    let lake = lake();
    let store = &lake.store;
    let id = store.create_upload("bucket", "k", Attributes::default()).unwrap().id;
    let parts = [part(store, &id, 1, b"late")];
    put(store, "k", "early");
    let absent = PutOptions { condition: WriteCondition::Absent, ..PutOptions::default() };
    assert_eq!(
        code(store.complete_upload(("bucket", "k", &id), &parts, absent)),
        "PreconditionFailed"
    );
    assert_eq!(read(store, "k"), "early");
    store.complete_upload(("bucket", "k", &id), &parts, PutOptions::default()).unwrap();
    assert_eq!(read(store, "k"), "late");
}

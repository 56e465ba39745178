//! Conditional writes: exactly one of any number of racers wins.

use super::*;

fn absent() -> PutOptions {
    PutOptions { condition: WriteCondition::Absent, ..PutOptions::default() }
}

fn matches(etag: &str) -> PutOptions {
    PutOptions { condition: WriteCondition::Matches(etag.to_owned()), ..PutOptions::default() }
}

#[test]
fn conditions_decide() {
    let lake = lake();
    let store = &lake.store;
    let write = |options| store.put("bucket", "k", b"x", options);
    assert_eq!(code(write(matches("e"))), "NoSuchKey");
    let first = write(absent()).unwrap();
    assert_eq!(code(write(absent())), "PreconditionFailed");
    assert_eq!(code(write(matches("e"))), "PreconditionFailed");
    write(matches(&first.etag)).unwrap();
    let gone = |condition| store.delete("bucket", "k", None, &condition);
    assert_eq!(code(gone(WriteCondition::Matches("e".to_owned()))), "PreconditionFailed");
    gone(WriteCondition::Matches(first.etag)).unwrap();
    write(absent()).unwrap();

    store.set_versioning("bucket", Versioning::Enabled).unwrap();
    gone(WriteCondition::Always).unwrap();
    let again = write(absent()).expect("a delete marker is no object");
    let copy = |condition| store.copy(("bucket", "k", None), ("bucket", "c"), &condition, None);
    copy(WriteCondition::Absent).unwrap();
    assert_eq!(code(copy(WriteCondition::Absent)), "PreconditionFailed");
    copy(WriteCondition::Matches(again.etag)).unwrap();
    assert_eq!(code(store.put("nope", "k", b"x", absent())), "NoSuchBucket");
}

/// 16 writers over four openings of one data directory (each as good as a process:
/// they share nothing but the files) race for 40 ledger entries.
#[test]
fn one_racer_wins_each_entry() {
    let dir = tempfile::tempdir().unwrap();
    let lakes: Vec<Lake> = (0..4).map(|_| Lake::open(dir.path()).unwrap()).collect();
    lakes[0].store.create_bucket("bucket", "us-east-1").unwrap();
    let (entries, writers) = (40, 16);
    let barrier = Barrier::new(writers);
    let wins: Vec<Vec<usize>> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..writers)
            .map(|racer| {
                let (store, barrier) = (&lakes[racer % lakes.len()].store, &barrier);
                scope.spawn(move || {
                    let attempt = |entry: &usize| {
                        barrier.wait();
                        let key = format!("ledger/{entry:08}.json");
                        match store.put("bucket", &key, racer.to_string().as_bytes(), absent()) {
                            Ok(_) => true,
                            Err(StoreError::PreconditionFailed(_)) => false,
                            Err(error) => panic!("{error:?}"),
                        }
                    };
                    (0..entries).filter(attempt).collect()
                })
            })
            .collect();
        racers.into_iter().map(|racer| racer.join().unwrap()).collect()
    });
    for entry in 0..entries {
        let winners: Vec<usize> =
            (0..writers).filter(|racer| wins[*racer].contains(&entry)).collect();
        let [winner] = winners[..] else { panic!("entry {entry} was won by {winners:?}") };
        assert_eq!(read(&lakes[0].store, &format!("ledger/{entry:08}.json")), winner.to_string());
    }
}

/// Compare-and-set loops over one object lose no update.
#[test]
fn if_match_loses_no_update() {
    let dir = tempfile::tempdir().unwrap();
    let lakes = [Lake::open(dir.path()).unwrap(), Lake::open(dir.path()).unwrap()];
    lakes[0].store.create_bucket("bucket", "us-east-1").unwrap();
    put(&lakes[0].store, "counter", "0");
    let (writers, rounds) = (8, 10);
    std::thread::scope(|scope| {
        for writer in 0..writers {
            let store = &lakes[writer % 2].store;
            scope.spawn(move || {
                let mut done = 0;
                while done < rounds {
                    let (object, mut reader) = store.get("bucket", "counter", None).unwrap();
                    let text = reader.read(0..object.size).unwrap();
                    let count: usize = str::from_utf8(&text).unwrap().parse().unwrap();
                    let next = (count + 1).to_string();
                    match store.put("bucket", "counter", next.as_bytes(), matches(&object.etag)) {
                        Ok(_) => done += 1,
                        Err(StoreError::PreconditionFailed(_)) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            });
        }
    });
    assert_eq!(read(&lakes[1].store, "counter"), (writers * rounds).to_string());
}

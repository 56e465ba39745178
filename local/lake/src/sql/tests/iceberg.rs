//! What text files of cases cannot say of Iceberg tables: races, crashes, the files themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::parquet::arrow::ArrowWriter;
use iceberg::{
    Content, DataFile, Entry, Manifest, ManifestContent, ManifestList, Snapshot, Status,
    TableMetadata,
};

use super::{lake, lines, rows, run};
use crate::catalog::{TableInput, TableUpdate};
use crate::store::{ListQuery, PutOptions};
use crate::watch::{Refused, Touch, Verb};
use crate::{Lake, S3Url, Watch};

#[tokio::test(flavor = "multi_thread")]
async fn an_iceberg_table_is_described_with_its_partitions() {
    let lake = lake();
    run(&lake, "CREATE TABLE t (id bigint COMMENT 'its id', at timestamp, d decimal(9,2)) PARTITIONED BY (day(at), bucket(4, id), truncate(10, d)) LOCATION 's3://lake/t/' TBLPROPERTIES ('table_type' = 'ICEBERG')")
        .await
        .unwrap();
    let expected = [
        "# Table schema:\t\t",
        "# col_name\tdata_type\tcomment",
        "id\tbigint\tits id",
        "at\ttimestamp\t",
        "d\tdecimal(9, 2)\t",
        "\t\t",
        "# Partition spec:\t\t",
        "# field_name\tfield_transform\tcolumn_name",
        "at_day\tday\tat",
        "id_bucket\tbucket[4]\tid",
        "d_trunc\ttruncate[10]\td",
    ];
    let output = run(&lake, "DESCRIBE t").await.unwrap();
    assert_eq!(lines(&lake, &output), expected);
    let output = run(&lake, "DESCRIBE FORMATTED t").await.unwrap();
    let formatted = lines(&lake, &output);
    assert_eq!(formatted[..expected.len()], expected);
    assert!(formatted.contains(&"Location:\ts3://lake/t\t".to_owned()), "{formatted:?}");
}

const SMALL: &str = "TBLPROPERTIES ('table_type' = 'ICEBERG')";

async fn make(lake: &Lake, columns: &str) {
    run(lake, &format!("CREATE TABLE t ({columns}) LOCATION 's3://lake/t/' {SMALL}"))
        .await
        .unwrap();
}

/// The rows of a query, values apart by blanks.
async fn shown(lake: &Lake, query: &str) -> Vec<String> {
    let output = run(lake, query).await.unwrap();
    let rows = rows(lake, &output).into_iter();
    let text = |value: Option<String>| value.unwrap_or_else(|| "NULL".to_owned());
    rows.map(|row| row.into_iter().map(text).collect::<Vec<_>>().join(" ")).collect()
}

/// The keys of all objects.
fn keys(lake: &Lake) -> Vec<String> {
    let query = ListQuery { prefix: "", delimiter: None, after: None, max: 10_000 };
    let listing = lake.store.list("lake", query).unwrap();
    listing.objects.into_iter().map(|object| object.key).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn earlier_states_have_their_rows_and_columns() {
    let lake = lake();
    make(&lake, "a int, b string").await;
    run(&lake, "INSERT INTO t VALUES (1, 'x')").await.unwrap();
    run(&lake, "ALTER TABLE t DROP COLUMN b").await.unwrap();
    run(&lake, "ALTER TABLE t CHANGE a z bigint").await.unwrap();
    run(&lake, "UPDATE t SET z = 2").await.unwrap();
    let history = "SELECT snapshot_id, CAST(made_current_at AS timestamp(3)) FROM \"t$history\" ORDER BY made_current_at";
    let history = shown(&lake, history).await;
    let (id, time) = history[0].split_once(' ').unwrap();
    assert_eq!(shown(&lake, &format!("SELECT * FROM t FOR VERSION AS OF {id}")).await, ["1 x"]);
    let by_time = format!("SELECT b, a FROM t FOR TIMESTAMP AS OF TIMESTAMP '{time}'");
    assert_eq!(shown(&lake, &by_time).await, ["x 1"]);
    assert_eq!(shown(&lake, "SELECT * FROM t").await, ["2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_added_at_once_are_all_there_once() {
    let lake = lake();
    make(&lake, "a int").await;
    let writers = (0..8).map(|writer| {
        let lake = lake.clone();
        tokio::spawn(async move {
            for turn in 0..4 {
                run(&lake, &format!("INSERT INTO t VALUES {}", writer * 4 + turn)).await.unwrap();
            }
        })
    });
    futures::future::join_all(writers).await.into_iter().for_each(Result::unwrap);
    assert_eq!(
        shown(&lake, "SELECT count(*), count(DISTINCT a), sum(a) FROM t").await,
        ["32 32 496"]
    );
    assert_eq!(shown(&lake, "SELECT count(*) FROM \"t$history\"").await, ["32"]);
    // Whoever lost a race has left nothing behind: a manifest and its list for each snapshot, a file
    // of metadata for each state.
    let metadata = keys(&lake).into_iter().filter(|key| key.contains("/metadata/")).count();
    assert_eq!(metadata, 32 * 3 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_changes_of_one_state_one_is_made() {
    let lake = lake();
    make(&lake, "a int").await;
    run(&lake, "INSERT INTO t VALUES 0").await.unwrap();
    let writers = (0..6).map(|_| {
        let lake = lake.clone();
        tokio::spawn(async move {
            let mut made = 0;
            for _ in 0..5 {
                match run(&lake, "UPDATE t SET a = a + 1").await {
                    Ok(_) => made += 1,
                    Err(error) => assert_eq!(
                        error,
                        "ICEBERG_COMMIT_ERROR: Failed to commit Iceberg update to table: default.t"
                    ),
                }
            }
            made
        })
    });
    let made: i32 = futures::future::join_all(writers).await.into_iter().map(Result::unwrap).sum();
    assert!(made >= 5, "somebody wins each race: {made}");
    assert_eq!(shown(&lake, "SELECT a FROM t").await, [made.to_string()]);
}

/// A watcher that lets nothing replace the catalog's entry stands for a process killed before it.
#[tokio::test(start_paused = true)]
async fn what_was_not_committed_is_no_part_of_a_table() {
    let lake = lake();
    make(&lake, "a int").await;
    run(&lake, "INSERT INTO t VALUES 1").await.unwrap();
    let before = keys(&lake);
    let dead = lake.watched(Watch::new(|touch| match touch {
        Touch::Table { verb: Verb::Replace, .. } => Err(Refused("dead".to_owned())),
        _ => Ok(()),
    }));
    for statement in [
        "INSERT INTO t VALUES 2",
        "DELETE FROM t",
        "UPDATE t SET a = 3",
        "ALTER TABLE t ADD COLUMNS (b int)",
    ] {
        run(&dead, statement).await.unwrap_err();
        assert_eq!(shown(&lake, "SELECT * FROM t").await, ["1"], "{statement}");
    }
    let orphans = keys(&lake).into_iter().filter(|key| !before.contains(key)).collect::<Vec<_>>();
    assert!(!orphans.is_empty(), "data files were written");
    // Orphans go once they are old enough.
    run(&lake, "ALTER TABLE t SET TBLPROPERTIES ('vacuum_max_snapshot_age_seconds' = '0')")
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_hours(1)).await;
    run(&lake, "VACUUM t").await.unwrap();
    let after = keys(&lake);
    assert!(orphans.iter().all(|key| !after.contains(key)), "{after:?}");
    assert_eq!(shown(&lake, "SELECT * FROM t").await, ["1"]);
}

#[tokio::test(start_paused = true)]
async fn vacuum_removes_what_old_snapshots_alone_name() {
    let lake = lake();
    make(&lake, "a int").await;
    for a in 0..3 {
        run(&lake, &format!("INSERT INTO t VALUES {a}, {a}")).await.unwrap();
    }
    run(&lake, "DELETE FROM t WHERE a = 0").await.unwrap();
    let data = |lake: &Lake| keys(lake).into_iter().filter(|key| key.contains("/data/")).count();
    assert_eq!(data(&lake), 3);
    run(&lake, "VACUUM t").await.unwrap();
    assert_eq!(shown(&lake, "SELECT count(*) FROM \"t$snapshots\"").await, ["4"], "none is old");
    run(&lake, "ALTER TABLE t SET TBLPROPERTIES ('vacuum_max_snapshot_age_seconds' = '0', 'vacuum_min_snapshots_to_keep' = '2', 'vacuum_max_metadata_files_to_keep' = '1')")
        .await
        .unwrap();
    tokio::time::sleep(std::time::Duration::from_hours(1)).await;
    run(&lake, "VACUUM t").await.unwrap();
    assert_eq!(shown(&lake, "SELECT count(*) FROM \"t$snapshots\"").await, ["2"]);
    assert_eq!(data(&lake), 3, "the snapshot before reads the file that is gone");
    run(&lake, "ALTER TABLE t SET TBLPROPERTIES ('vacuum_min_snapshots_to_keep' = '1')")
        .await
        .unwrap();
    run(&lake, "VACUUM t").await.unwrap();
    assert_eq!(data(&lake), 2);
    let states = keys(&lake).into_iter().filter(|key| key.ends_with(".metadata.json")).count();
    assert_eq!(states, 2, "the newest state and the one before");
    assert_eq!(
        shown(&lake, "SELECT a, count(*) FROM t GROUP BY a ORDER BY a").await,
        ["1 2", "2 2"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_that_another_registers_is_read_and_dropped() {
    let lake = lake();
    make(&lake, "a int").await;
    run(&lake, "INSERT INTO t VALUES 7").await.unwrap();
    let entry = lake.catalog.table("default", "t").unwrap();
    let location = entry.definition.parameters["metadata_location"].clone();
    assert!(entry.definition.parameters["previous_metadata_location"].contains("/00000-"));
    assert_eq!(entry.definition.table_type.as_deref(), Some("EXTERNAL_TABLE"));
    let parameters = [("table_type", "iceberg"), ("metadata_location", location.as_str())];
    lake.catalog
        .create_table(
            "default",
            TableInput {
                name: "other".to_owned(),
                parameters: parameters.map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
                ..TableInput::default()
            },
        )
        .unwrap();
    assert_eq!(shown(&lake, "SELECT a FROM other").await, ["7"]);
    let columns =
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = 'other'";
    assert_eq!(shown(&lake, columns).await, ["a integer"]);
    run(&lake, "DROP TABLE other").await.unwrap();
    assert_eq!(keys(&lake), Vec::<String>::new());
    let error = run(&lake, "SELECT * FROM t").await.unwrap_err();
    assert!(error.starts_with("ICEBERG_INVALID_METADATA: Metadata not found"), "{error}");
    run(&lake, "DROP TABLE t").await.unwrap();
}

/// Adds a file of deletes to the table `t`, as another writer would.
fn add_deletes(lake: &Lake, content: Content, parquet: &[u8]) {
    let put = |url: &str, bytes: &[u8]| {
        let place: S3Url = url.parse().unwrap();
        lake.store.put(place.bucket(), place.key(), bytes, PutOptions::default()).unwrap();
    };
    let read = |url: &str| {
        let place: S3Url = url.parse().unwrap();
        lake.store.read(place.bucket(), place.key()).unwrap()
    };
    let entry = lake.catalog.table("default", "t").unwrap();
    let mut definition = entry.definition;
    let location = &definition.parameters["metadata_location"];
    let mut table = TableMetadata::read(&read(location)).unwrap();
    let before = table.current_snapshot().unwrap().clone();
    let path = "s3://lake/t/data/deletes.parquet";
    put(path, parquet);
    let mut list = ManifestList::read(&read(&before.manifest_list)).unwrap();
    let live = Manifest::read(&read(&list.manifests[0].path), &list.manifests[0]).unwrap();
    let file = DataFile {
        content,
        file_path: path.to_owned(),
        record_count: 2,
        file_size_in_bytes: i64::try_from(parquet.len()).unwrap(),
        lower_bounds: BTreeMap::new(),
        upper_bounds: BTreeMap::new(),
        equality_ids: if content == Content::EqualityDeletes { vec![1] } else { Vec::new() },
        ..live.entries[0].file.clone()
    };
    let added = Entry {
        status: Status::Added,
        snapshot_id: None,
        sequence_number: None,
        file_sequence_number: None,
        file,
    };
    let manifest = Manifest { content: ManifestContent::Deletes, entries: vec![added], ..live };
    let bytes = manifest.write().unwrap();
    let (id, sequence_number) = (5, table.last_sequence_number + 1);
    put("s3://lake/t/metadata/deletes.avro", &bytes);
    let length = i64::try_from(bytes.len()).unwrap();
    let path = "s3://lake/t/metadata/deletes.avro".to_owned();
    list.manifests.push(manifest.listed(path, length, sequence_number, id));
    let manifest_list = "s3://lake/t/metadata/snap-5.avro".to_owned();
    put(&manifest_list, &list.write(id, Some(before.id), sequence_number));
    let parent_id = Some(before.id);
    table.add_snapshot(Snapshot { id, parent_id, sequence_number, manifest_list, ..before });
    put("s3://lake/t/metadata/other.metadata.json", &table.write());
    let other = "s3://lake/t/metadata/other.metadata.json".to_owned();
    definition.parameters.insert("metadata_location".to_owned(), other);
    lake.catalog.update_table("default", definition, TableUpdate::default()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn places_that_another_deletes_are_left_out_and_values_are_refused() {
    let lake = lake();
    make(&lake, "a bigint").await;
    run(&lake, "INSERT INTO t SELECT x FROM UNNEST(sequence(1, 3)) u(x)").await.unwrap();
    run(&lake, "INSERT INTO t SELECT x FROM UNNEST(sequence(4, 6)) u(x)").await.unwrap();
    let paths = shown(&lake, "SELECT \"$path\" FROM t WHERE a IN (1, 4) ORDER BY a").await;
    // Without ids and bounds, of rows in two files.
    let columns: [(&str, ArrayRef); 2] = [
        ("file_path", Arc::new(StringArray::from(paths))),
        ("pos", Arc::new(Int64Array::from(vec![0, 2]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    let parquet = writer.into_inner().unwrap();
    add_deletes(&lake, Content::PositionDeletes, &parquet);
    assert_eq!(shown(&lake, "SELECT a FROM t ORDER BY a").await, ["2", "3", "4", "5"]);
    // Rows that came later stay, and those that go now go beside those that are gone.
    run(&lake, "INSERT INTO t VALUES 1").await.unwrap();
    run(&lake, "DELETE FROM t WHERE a IN (2, 3, 5)").await.unwrap();
    assert_eq!(shown(&lake, "SELECT a FROM t ORDER BY a").await, ["1", "4"]);
    let files = "SELECT content, count(*) FROM \"t$files\" GROUP BY content ORDER BY content";
    assert_eq!(shown(&lake, files).await, ["0 2", "1 2"], "the first file is gone as a whole");
    add_deletes(&lake, Content::EqualityDeletes, &parquet);
    let error = run(&lake, "SELECT a FROM t").await.unwrap_err();
    assert!(
        error.starts_with("NOT_SUPPORTED: Iceberg tables with equality deletes are not read here"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn many_manifests_become_one() {
    let lake = lake();
    make(&lake, "a bigint").await;
    for a in 0..101 {
        run(&lake, &format!("INSERT INTO t VALUES {a}")).await.unwrap();
    }
    run(&lake, "DELETE FROM t WHERE a = 7").await.unwrap();
    let manifests = "SELECT count(*), sum(added_data_files_count), sum(existing_data_files_count), sum(deleted_data_files_count) FROM \"t$manifests\"";
    assert_eq!(shown(&lake, manifests).await, ["2 1 99 1"]);
    assert_eq!(shown(&lake, "SELECT count(*), sum(a) FROM t").await, ["100 5043"]);
    // The file that is gone is told of once.
    run(&lake, "INSERT INTO t VALUES 200").await.unwrap();
    assert_eq!(
        shown(&lake, "SELECT count(*), sum(record_count) FROM \"t$files\"").await,
        ["101 101"]
    );
}

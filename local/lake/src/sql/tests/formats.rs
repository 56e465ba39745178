//! ORC and Avro files of other makers, whole and broken.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use orc_rust::arrow_writer::ArrowWriterBuilder;

use super::{fixture, lake, rows, run};
use crate::Lake;
use crate::store::PutOptions;

fn put(lake: &Lake, key: &str, bytes: &[u8]) {
    lake.store.put("lake", key, bytes, PutOptions::default()).unwrap();
}

async fn shown(lake: &Lake, statement: &str) -> Vec<String> {
    let output = run(lake, statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    let shown = rows(lake, &output).into_iter().map(|row| {
        let values = row.into_iter().map(|value| value.unwrap_or_else(|| "NULL".to_owned()));
        values.collect::<Vec<_>>().join("|")
    });
    shown.collect()
}

/// Longer than any answer takes.
const TOO_LONG: Duration = Duration::from_mins(1);

/// The columns of `nested.*.orc`.
const NESTED: &str = "price decimal(5,2), tags array<string>, counts map<string,int>, \
                      place struct<y:string,x:int,z:int>, at timestamp";

#[tokio::test(flavor = "multi_thread")]
async fn orc_is_read_however_it_is_packed() {
    let lake = lake();
    for codec in ["uncompressed", "zlib", "snappy", "lz4", "zstd"] {
        let bytes = fixture(&format!("nested.{codec}.orc"));
        put(&lake, &format!("{codec}/a.orc"), &bytes);
        let create = format!(
            "CREATE EXTERNAL TABLE {codec} ({NESTED}) STORED AS ORC LOCATION 's3://lake/{codec}/'"
        );
        run(&lake, &create).await.unwrap();
        let expected = [
            "1.50|[a, null]|{k=1}|{y=q, x=1, z=null}|2024-01-02 03:04:05.679",
            "NULL|NULL|NULL|NULL|NULL",
            "-999.99|[]|{l=null}|{y=null, x=null, z=null}|1960-01-01 00:00:00.000",
        ];
        assert_eq!(shown(&lake, &format!("SELECT * FROM {codec}")).await, expected, "{codec}");
        let scales = format!("SELECT place.y, at FROM {codec} WHERE price > 1");
        assert_eq!(shown(&lake, &scales).await, ["q|2024-01-02 03:04:05.679"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn avro_is_read_however_it_is_packed() {
    let lake = lake();
    for codec in ["null", "deflate", "snappy", "zstandard"] {
        let bytes = fixture(&format!("types.{codec}.avro"));
        put(&lake, &format!("{codec}/a.avro"), &bytes);
        let create = format!(
            "CREATE EXTERNAL TABLE avro_{codec} (id int, price decimal(5,2), place struct<x:int>) STORED AS AVRO LOCATION 's3://lake/{codec}/'"
        );
        run(&lake, &create).await.unwrap();
        let query = format!("SELECT * FROM avro_{codec} ORDER BY id");
        assert_eq!(
            shown(&lake, &query).await,
            ["0|1.50|{x=1}", "1|NULL|NULL", "2|-999.99|{x=null}"]
        );
        let output = run(&lake, &query).await.unwrap();
        assert_eq!(output.scanned_bytes, bytes.len() as u64, "{codec}");
    }
}

/// What other programs know a file's values by is its own schema.
#[tokio::test(flavor = "multi_thread")]
async fn avro_is_written_with_the_schema_that_hive_makes() {
    let lake = lake();
    run(&lake, "CREATE TABLE said WITH (format = 'AVRO', write_compression = 'SNAPPY', external_location = 's3://lake/said/') AS SELECT 1 AS n, 1.50 AS price, TIMESTAMP '2024-01-01 00:00:00.123' AS at, ARRAY['x'] AS tags")
        .await
        .unwrap();
    let location: crate::S3Url = "s3://lake/said/".parse().unwrap();
    let file = crate::tables::data_files(&lake.store, &location).unwrap().remove(0);
    let bytes = lake.store.read("lake", file.url.key()).unwrap();
    let reader = arrow_avro::reader::ReaderBuilder::new().build(&bytes[..]).unwrap();
    let header = reader.avro_header();
    assert_eq!(header.get("avro.codec"), Some(&b"snappy"[..]));
    let schema: serde_json::Value =
        serde_json::from_slice(header.get("avro.schema").unwrap()).unwrap();
    let field = |name: &str, kind: serde_json::Value| serde_json::json!({"name": name, "type": ["null", kind], "default": null});
    let decimal =
        serde_json::json!({"type": "bytes", "logicalType": "decimal", "precision": 3, "scale": 2});
    let expected = serde_json::json!({"type": "record", "name": "baseRecord", "fields": [
        field("n", "int".into()),
        field("price", decimal),
        field("at", serde_json::json!({"type": "long", "logicalType": "timestamp-millis"})),
        field("tags", serde_json::json!({"type": "array", "items": ["null", "string"]})),
    ]});
    assert_eq!(schema, expected);
    assert_eq!(reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 1);
}

/// Numbers that pack badly, and texts.
fn numbers(count: i64) -> RecordBatch {
    let number = |at: i64| at.wrapping_mul(0x9e37_79b9_7f4a_7c15_u64.cast_signed());
    let mixed: ArrayRef = Arc::new(Int64Array::from_iter_values((0..count).map(number)));
    let plain: ArrayRef = Arc::new(Int64Array::from_iter_values(0..count));
    let texts: ArrayRef =
        Arc::new(StringArray::from_iter_values((0..count).map(|at| (at % 7).to_string())));
    RecordBatch::try_from_iter([("mixed", mixed), ("plain", plain), ("texts", texts)]).unwrap()
}

fn orc(batch: &RecordBatch, stripe: usize) -> Bytes {
    let mut file = Vec::new();
    let mut writer = ArrowWriterBuilder::new(&mut file, batch.schema())
        .with_stripe_byte_size(stripe)
        .try_build()
        .unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
    file.into()
}

/// A file is cut by its stripes, each of which has one reader; of a stripe the columns asked for are read.
#[tokio::test(flavor = "multi_thread")]
async fn orc_is_read_by_its_stripes() {
    let lake = lake();
    let (count, stripe) = (2_400_000_i64, 1024 * 1024);
    let file = orc(&numbers(count), stripe);
    assert!(file.len() > 16 * 1024 * 1024, "{} bytes are read in pieces", file.len());
    put(&lake, "stripes/a.orc", &file);
    run(&lake, "CREATE EXTERNAL TABLE stripes (mixed bigint, plain bigint, texts string) STORED AS ORC LOCATION 's3://lake/stripes/'")
        .await
        .unwrap();
    let plan = run(&lake, "EXPLAIN SELECT plain FROM stripes").await.unwrap();
    let plan = super::lines(&lake, &plan).join("\n");
    assert!(plan.contains("OrcScan: table=default.stripes, pieces=2"), "{plan}");
    let whole = shown(
        &lake,
        "SELECT count(*), count(DISTINCT mixed), sum(plain), count(DISTINCT texts) FROM stripes",
    );
    let sum = count * (count - 1) / 2;
    assert_eq!(whole.await, [format!("{count}|{count}|{sum}|7")]);
    let counted = run(&lake, "SELECT count(*) FROM stripes").await.unwrap();
    assert_eq!(rows(&lake, &counted), [[Some(count.to_string())]]);
    assert!(counted.scanned_bytes < 64 * 1024, "a count reads {} bytes", counted.scanned_bytes);
    let one = run(&lake, "SELECT max(plain) FROM stripes").await.unwrap();
    assert!(one.scanned_bytes < file.len() as u64 / 10, "{} bytes", one.scanned_bytes);
    let few = run(&lake, "SELECT mixed FROM stripes LIMIT 3").await.unwrap();
    assert!(few.scanned_bytes < file.len() as u64 / 2, "{} bytes", few.scanned_bytes);
}

/// Whatever byte of a file is wrong: an answer or a failure that names the file, and soon.
#[tokio::test(flavor = "multi_thread")]
async fn broken_files_are_failures() {
    let lake = lake();
    let types = "id int, big bigint, price decimal(5,2), tags array<string>, place struct<x:int>";
    for (name, kind, columns) in [
        ("nested.zlib.orc", "ORC", NESTED),
        ("nested.uncompressed.orc", "ORC", NESTED),
        ("types.null.avro", "AVRO", types),
        ("types.deflate.avro", "AVRO", types),
    ] {
        let whole = fixture(name);
        let table = name.replace('.', "_");
        let key = format!("broken/{table}/a");
        run(&lake, &format!("CREATE EXTERNAL TABLE {table} ({columns}) STORED AS {kind} LOCATION 's3://lake/broken/{table}/'"))
            .await
            .unwrap();
        let (mut failed, mut asked) = (0, 0);
        // One byte wrong, or the rest missing.
        let wrong = (0..whole.len()).step_by(17).map(|at| (at, false));
        for (at, cut) in wrong.chain((0..whole.len()).step_by(61).map(|at| (at, true))) {
            let mut bytes = whole.clone();
            if cut {
                bytes.truncate(at);
            } else {
                bytes[at] ^= 0x55;
            }
            put(&lake, &key, &bytes);
            let query = format!("SELECT * FROM {table}");
            let answer = tokio::time::timeout(TOO_LONG, run(&lake, &query));
            asked += 1;
            let Err(error) = answer.await.unwrap_or_else(|_| panic!("{name} hangs at {at}")) else {
                assert!(!cut || at == 0 || kind == "AVRO", "{name} cut to {at} bytes is read");
                continue;
            };
            failed += 1;
            assert!(error.contains(&format!("s3://lake/{key}")), "{name} at {at}: {error}");
        }
        assert!(failed > asked / 2, "{name}: {failed} of {asked}");
    }
}

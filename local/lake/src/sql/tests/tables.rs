//! What text files of cases cannot say: packed files, concurrency, memory.

use std::io::Write as _;

use super::{lake, rows, run};
use crate::store::PutOptions;

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn gzip_of_several_members_is_read_and_a_cut_one_is_an_error() {
    let lake = lake();
    let whole = [gzip("a,1\nb,2\n"), gzip("c,3\n")].concat();
    lake.store.put("lake", "packed/x.csv.gz", &whole, PutOptions::default()).unwrap();
    run(&lake, "CREATE EXTERNAL TABLE packed (name string, n int) ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LOCATION 's3://lake/packed/'")
        .await
        .unwrap();
    let output = run(&lake, "SELECT count(*), sum(n) FROM packed").await.unwrap();
    assert_eq!(rows(&lake, &output), [[Some("3".to_owned()), Some("6".to_owned())]]);
    assert_eq!(output.scanned_bytes, whole.len() as u64);
    lake.store
        .put("lake", "packed/x.csv.gz", &whole[..whole.len() - 10], PutOptions::default())
        .unwrap();
    let error = run(&lake, "SELECT count(*) FROM packed").await.unwrap_err();
    assert!(error.starts_with("HIVE_CURSOR_ERROR"), "{error}");
}

/// Many rows of a number that occurs thrice, one that occurs once, and NULLs.
#[tokio::test(flavor = "multi_thread")]
async fn groups_whose_keys_nobody_asks_for_are_only_counted() {
    let lake = lake();
    run(&lake, "CREATE TABLE many WITH (external_location = 's3://lake/many/') AS SELECT x % 3000 AS k FROM UNNEST(sequence(1, 9000)) t(x) UNION ALL SELECT 3000 UNION ALL SELECT CAST(NULL AS bigint)")
        .await
        .unwrap();
    let sizes = "SELECT count(*), sum(n), count_if(n = 1), count_if(n = 3) FROM (SELECT count(*) AS n FROM many GROUP BY k)";
    let plan = run(&lake, &format!("EXPLAIN {sizes}")).await.unwrap();
    let plan = super::lines(&lake, &plan).join("\n");
    assert!(plan.contains("GroupSizesExec: key=k@0"), "{plan}");
    let output = run(&lake, sizes).await.unwrap();
    let expected = ["3002", "9002", "2", "3000"].map(|number| Some(number.to_owned()));
    assert_eq!(rows(&lake, &output), [expected]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parquet_file_is_items_without_a_table() {
    let lake = lake();
    run(&lake, "CREATE TABLE items WITH (external_location = 's3://lake/items/') AS SELECT 7 AS n, CAST(1.50 AS decimal(5,2)) AS price, TIMESTAMP '2024-01-01 00:00:01.500' AS at, CAST(NULL AS varchar) AS nothing, ARRAY[1, 2] AS many")
        .await
        .unwrap();
    let location: crate::S3Url = "s3://lake/items/".parse().unwrap();
    let file = crate::tables::data_files(&lake.store, &location).unwrap().remove(0);
    let bytes = lake.store.read("lake", file.url.key()).unwrap();
    let items = crate::parquet_items(bytes.clone(), 10).unwrap();
    let expected = serde_json::json!([{
        "n": 7, "price": 1.5, "at": "2024-01-01 00:00:01.500", "nothing": null, "many": [1, 2],
    }]);
    assert_eq!(serde_json::Value::Array(items), expected);
    assert_eq!(crate::parquet_items(bytes, 0).unwrap(), Vec::<serde_json::Value>::new());
    assert!(crate::parquet_items(bytes::Bytes::from_static(b"no Parquet"), 10).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn finer_timestamps_are_rounded_to_milliseconds() {
    use datafusion::arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray};
    use datafusion::parquet::arrow::ArrowWriter;
    let lake = lake();
    let column: ArrayRef = std::sync::Arc::new(TimestampMicrosecondArray::from(vec![
        1_704_067_200_000_499,
        1_704_067_200_000_500,
    ]));
    let batch = RecordBatch::try_from_iter([("t", column)]).unwrap();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    let file = writer.into_inner().unwrap();
    lake.store.put("lake", "fine/x.parquet", &file, PutOptions::default()).unwrap();
    run(
        &lake,
        "CREATE EXTERNAL TABLE fine (t timestamp) STORED AS PARQUET LOCATION 's3://lake/fine/'",
    )
    .await
    .unwrap();
    let all = run(&lake, "SELECT t FROM fine ORDER BY t").await.unwrap();
    let times = ["2024-01-01 00:00:00.000", "2024-01-01 00:00:00.001"];
    let expected: Vec<[Option<String>; 1]> = times.map(|time| [Some(time.to_owned())]).to_vec();
    assert_eq!(rows(&lake, &all), expected);
    let later = "SELECT count(*) FROM fine WHERE t >= TIMESTAMP '2024-01-01 00:00:00.001'";
    let later = run(&lake, later).await.unwrap();
    assert_eq!(rows(&lake, &later), [[Some("1".to_owned())]]);
}

/// A literal is of its column's type before files are read: they are pruned by it, whatever precision it is written with.
#[tokio::test(flavor = "multi_thread")]
async fn files_are_pruned_by_timestamps() {
    let lake = lake();
    run(&lake, "CREATE TABLE pruned WITH (external_location = 's3://lake/pruned/') AS SELECT TIMESTAMP '2024-01-02 00:00:00.000' AS x")
        .await
        .unwrap();
    let query = "SELECT count(*) FROM pruned WHERE x >= TIMESTAMP '2024-01-02 00:00:00' AND x < DATE '2024-02-01' AND x <> TIMESTAMP '2024-01-03 00:00:00 UTC'";
    let plan = run(&lake, &format!("EXPLAIN {query}")).await.unwrap();
    let plan = super::lines(&lake, &plan).join("\n");
    for part in ["x_max@", "x@0 >= 1704153600000 AND x@0 < 1706745600000 AND x@0 != 1704240000000"]
    {
        assert!(plan.contains(part), "{plan}");
    }
    let output = run(&lake, query).await.unwrap();
    assert_eq!(rows(&lake, &output), [[Some("1".to_owned())]]);
}

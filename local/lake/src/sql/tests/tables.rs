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

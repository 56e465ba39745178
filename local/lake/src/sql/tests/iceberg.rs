//! What text files of cases cannot say of Iceberg tables: races, crashes, the files themselves.

use super::{lake, lines, run};

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

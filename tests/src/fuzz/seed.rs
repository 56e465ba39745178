//! Valid inputs to begin with, made in code or taken from this project.

use std::fs;

use runner::sample::{self, SampleFile};
use runner::tlc::TripFile;
use serde_json::json;

use crate::house::root;

/// Rows of a sample file.
const ROWS: u64 = 20;

fn texts(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

pub fn events() -> Vec<Vec<u8>> {
    let arrival = json!({"version": "0", "detail-type": "Object Created", "time": "2024-03-01T00:00:00Z",
        "detail": {"bucket": {"name": "raw"}, "object": {"key": "arrivals/green_tripdata_2024-01.parquet",
            "size": 3, "etag": "e", "version-id": "v", "sequencer": "0"}}});
    let others = [
        json!({"trigger": "schedule", "force": true}),
        json!({"dataset": "green", "months": ["2024-01", "current"]}),
        json!({"loads": [{"dataset": "all", "from": "2009-01", "to": "2024-12"}]}),
        json!({"detail-type": "Object Deleted", "detail": {"object": {"key": "k"}}}),
    ];
    others.into_iter().chain([arrival]).map(|event| event.to_string().into_bytes()).collect()
}

fn samples(names: &[&str]) -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    let sample = |name: &&str| {
        let path = folder.path().join(name);
        let file = TripFile::from_name(name).expect("a name of the TLC's");
        sample::write(SampleFile { file, rows: ROWS }, &path).expect("a few rows");
        fs::read(path).expect("it was written")
    };
    names.iter().map(sample).collect()
}

pub fn csv_files() -> Vec<Vec<u8>> {
    samples(&[
        "yellow_tripdata_2009-01.csv",
        "yellow_tripdata_2018-01.csv",
        "green_tripdata_2014-01.csv",
        "fhv_tripdata_2018-01.csv",
        "green_tripdata_2019-04.csv.gz",
    ])
}

pub fn parquet_files() -> Vec<Vec<u8>> {
    samples(&[
        "green_tripdata_2023-01.parquet",
        "yellow_tripdata_2024-01.parquet",
        "fhvhv_tripdata_2022-01.parquet",
    ])
}

pub fn item_files() -> Vec<Vec<u8>> {
    texts(&[
        "a,b\r\n1,\"x,\"\"y\"\"\n\"\r\n2\r\n",
        "[1, {\"a\": [2]}, null]",
        "{\"a\": 1}\n{\"b\": \"\\ud83d\\ude95\"}\n",
    ])
}

fn run() -> serde_json::Value {
    json!({"dataset": "green", "month": "2024-01", "run_key": "k", "run": "r", "fingerprint": "f",
        "source": {"kind": "http", "url": "https://tlc/green_tripdata_2024-01.parquet",
            "last_modified": "2024-03-01T00:00:00Z", "bytes": 3},
        "rows_in": 3, "rows_out": 2, "rows_rejected": 1, "contract_version": "1"})
}

pub fn entries() -> Vec<Vec<u8>> {
    let entry = json!({"seq": 1, "committed_at": "2026-11-22T02:00:00Z", "execution": "e", "entry": run(),
        "live": {"2024-01": run(), "current": run()}});
    vec![entry.to_string().into_bytes()]
}

pub fn manifests() -> Vec<Vec<u8>> {
    let manifest = json!({"location": "s3://raw/green/", "key": "green/f", "file": "f", "bytes": 3, "fingerprint": "f",
        "etag": "\"e\"", "format": "csv.gz", "lines": 3, "unchanged": false,
        "source": {"kind": "s3", "bucket": "raw", "key": "k", "version_id": "v", "etag": "e"}});
    vec![manifest.to_string().into_bytes()]
}

pub fn definitions() -> Vec<Vec<u8>> {
    let machine = fs::read(root().join("statemachines/nyc_taxi_etl.asl.json"))
        .expect("the project's own machine");
    let all = json!({"StartAt": "A", "TimeoutSeconds": 9, "States": {
        "A": {"Type": "Choice", "Default": "B", "Choices": [
            {"And": [{"Variable": "$.n", "NumericGreaterThan": 1}, {"Not": {"Variable": "$.a", "IsNull": true}}],
             "Next": "C"}]},
        "B": {"Type": "Map", "ItemsPath": "$.list", "MaxConcurrency": 2, "Next": "D", "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"}, "StartAt": "P", "States": {"P": {"Type": "Pass", "End": true}}}},
        "C": {"Type": "Wait", "SecondsPath": "$.n", "Next": "D"},
        "D": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"a.$": "States.UUID()"},
            "Retry": [{"ErrorEquals": ["States.ALL"], "MaxAttempts": 2, "BackoffRate": 1.5}],
            "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "E", "ResultPath": "$.error"}], "Next": "E"},
        "E": {"Type": "Parallel", "Branches": [{"StartAt": "Q", "States": {"Q": {"Type": "Fail", "Error": "E"}}}],
            "End": true}}});
    vec![machine, all.to_string().into_bytes()]
}

pub fn json_paths() -> Vec<Vec<u8>> {
    texts(&[
        "$.list[0]",
        "$.c-d['e'].n",
        "$..n",
        "$.list[?(@.n > 1 && (@.s == 'x' || !(@.n in [1, 2])))].s",
        "$.list[1:3,-1]",
        "$.list[(@.length-1)]",
        "$$.Execution.Input.list.length()",
        "$.list[*]..['n',\"s\"].max()",
        "$variable[-1:].a.b",
    ])
}

pub fn intrinsics() -> Vec<Vec<u8>> {
    texts(&[
        "States.Format('{} and {}', $.text, States.ArrayLength($.list))",
        "States.StringToJson('{\"a\": [1, 2.5e3]}')",
        "States.ArrayPartition(States.ArrayRange(1, 9, 2), 2)",
        "States.ArrayGetItem($.list, 1)",
        "States.Base64Decode(States.Base64Encode($.text))",
        "States.JsonMerge($.c-d, $.c-d, false)",
        "States.MathAdd($.n, -9223372036854775808)",
        "States.MathRandom(1, 9, 3)",
        "States.StringSplit($.text, ',')",
        "States.Hash($.text, 'SHA-256')",
        "States.ArrayUnique(States.Array(1, 'a\\'b', null, $.n))",
    ])
}

pub fn jsonata() -> Vec<Vec<u8>> {
    let machine = fs::read_to_string(root().join("statemachines/nyc_taxi_etl.asl.json"))
        .expect("the machine");
    let own = machine.split("{% ").skip(1).filter_map(|part| part.split(" %}").next());
    let mut seeds: Vec<Vec<u8>> = own.map(|text| text.replace("\\\"", "\"").into_bytes()).collect();
    seeds.sort();
    seeds.dedup();
    seeds.extend(texts(&[
        "$states.input.list[1].n + 3 * -2 % 4",
        "($f := function($x) { $x > 0 ? $f($x - 1) : 'done' }; $f(5))",
        "$map([1..9], function($v, $i) { {'a' & $i: $v} }) ~> $merge()",
        "$states.input.**.n ^(>$) [0]",
        "$replace('a1b22', /([0-9]+)/, '<$1>')",
        "$fromMillis(0, '[Y0001]-[M01]-[D01]') & $toMillis('2024-01-01T00:00:00Z')",
        "$states.input ~> |c-d|{'z': 1}, ['e']|",
        "$reduce([1..5], function($a, $b) { $a * $b }, 1)",
        "$formatNumber(1234.5, '#,##0.00') & $formatBase(255, 16) & $pad('x', -5, '#')",
        "$sort($states.input.list, function($l, $r) { $string($l) > $string($r) })",
        "$partition([1,2,3], 2) ~> $string()",
        "$parse('[1, 2]')[0] in [1] and $not($exists($none))",
    ]));
    seeds
}

pub fn statements() -> Vec<Vec<u8>> {
    texts(&[
        "SELECT a, count(*) FILTER (WHERE b > 1) AS n FROM d.t AS t LEFT JOIN u USING (a) WHERE c LIKE 'x%' ESCAPE '!' \
         AND d BETWEEN DATE '2024-01-01' AND CURRENT_DATE GROUP BY ROLLUP (a) HAVING sum(b) > 1e0 ORDER BY 1 DESC LIMIT 5",
        "WITH x AS (VALUES (1, 'a'), (2, NULL)) SELECT CASE WHEN x IS NULL THEN 1 ELSE -x END FROM x \
         CROSS JOIN UNNEST(ARRAY[1, 2]) WITH ORDINALITY AS u(v, o) UNION ALL SELECT TRY_CAST('1' AS bigint)",
        "CREATE TABLE \"d\".\"t\" WITH (format = 'PARQUET', partitioned_by = ARRAY['p'], external_location = 's3://b/k/') \
         AS SELECT transform(a, x -> x + 1) AS b, map(ARRAY['k'], ARRAY[1])['k'] AS p FROM t",
        "CREATE EXTERNAL TABLE IF NOT EXISTS `d`.`t` (`c0` string COMMENT 'it\\'s', m map<string,array<struct<a:int,b:decimal(10,2)>>>) \
         PARTITIONED BY (p string) ROW FORMAT SERDE 'x.OpenCSVSerde' WITH SERDEPROPERTIES ('separatorChar' = ',') \
         STORED AS TEXTFILE LOCATION 's3://b/k/' TBLPROPERTIES ('skip.header.line.count' = '1')",
        "ALTER TABLE t ADD IF NOT EXISTS PARTITION (p = 'a', q = 1) LOCATION 's3://b/k/' PARTITION (p = 'b', q = 2)",
        "INSERT INTO t (a, b) SELECT row_number() OVER (PARTITION BY a ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW), ?",
        "UNLOAD (SELECT 1) TO 's3://b/k/' WITH (format = 'JSON')",
        "PREPARE p FROM SELECT ? + 1",
        "EXECUTE p USING 1, 'a'",
        "SHOW TABLES IN d 'x*'",
        "DESCRIBE FORMATTED d.t PARTITION (p = 'x') c",
        "CREATE OR REPLACE VIEW v AS SELECT a[1].b.c::varchar AT TIME ZONE 'UTC' /* x */ FROM t -- y\n;",
        "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE",
        "EXPLAIN ANALYZE SELECT 'a' || U&'\\0041' || X'00ff'",
    ])
}

pub fn hive_types() -> Vec<Vec<u8>> {
    texts(&[
        "array<map<string,struct<a:int,b:decimal(10,2)>>>",
        "varchar(3)",
        "uniontype<int,string>",
        "DECIMAL",
    ])
}

pub fn rulesets() -> Vec<Vec<u8>> {
    let shipped = ["green", "fhv", "zones"].map(|name| {
        let path = root().join(format!("shared/datasets/{name}.dqdl"));
        fs::read(path).expect("the ruleset of a data set")
    });
    let others = texts(&[
        "Rules = [ RowCount > 0, IsPrimaryKey \"vendorid\" \"trip_distance\", Entropy of vendorid < 2 ]",
        "Rules = [ ((IsUnique \"vendorid\") and (Mean \"fare_amount\" between -1 and 2.5)) or (ColumnCount = 3) ]",
        "x = [\"a\", \"b\"] Rules = [ ColumnValues \"store_and_fwd_flag\" in $x with threshold > 0.5 ]",
        "Rules = [ ColumnValues \"lpep_pickup_datetime\" > (now() - 3 days), DataFreshness \"lpep_pickup_datetime\" <= 5 hours, \
         ColumnLength \"store_and_fwd_flag\" in [0, 1], ColumnDataType \"vendorid\" = \"Integer\" ] Analyzers = [ RowCount ]",
        "Rules = [ ReferentialIntegrity \"vendorid\" \"staged.vendorid\" = 1, DatasetMatch \"staged\" \"vendorid\" > 0, \
         AggregateMatch \"sum(extra)\" \"avg(staged.extra)\" > 0, ColumnValues \"vendorid\" matches \"[0-9]+\" ]",
    ]);
    shipped.into_iter().chain(others).collect()
}

//! The catalog from outside, as Glue would be asked.

use serde_json::json;

use super::*;
use crate::Lake;

fn lake() -> Lake {
    let lake = Lake::temporary().unwrap();
    let input = DatabaseInput { name: "Taxi".to_owned(), ..DatabaseInput::default() };
    lake.catalog.create_database(input).unwrap();
    lake
}

fn table(name: &str) -> TableInput {
    serde_json::from_value(json!({
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": "Year", "Type": "int"}, {"Name": "month", "Type": "string"}],
        "StorageDescriptor": {
            "Columns": [{"Name": "VendorID", "Type": "bigint"}, {"Name": "fare"}],
            "Location": "s3://lake/taxi/",
            "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
                "Parameters": {"separatorChar": ","}},
            "SkewedInfo": {"SkewedColumnNames": ["fare"]},
        },
        "Parameters": {"skip.header.line.count": "1"},
        "TargetTable": {"CatalogId": "1"},
    }))
    .unwrap()
}

fn partition(values: &[&str]) -> PartitionInput {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    PartitionInput { values, ..PartitionInput::default() }
}

fn strings(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

fn code<T: std::fmt::Debug>(result: Result<T, CatalogError>) -> &'static str {
    result.unwrap_err().code()
}

#[test]
fn databases_come_and_go() {
    let lake = lake();
    let catalog = &lake.catalog;
    let input = |name: &str| DatabaseInput { name: name.to_owned(), ..DatabaseInput::default() };
    assert_eq!(code(catalog.create_database(input("TAXI"))), "AlreadyExistsException");
    assert_eq!(code(catalog.create_database(input(""))), "InvalidInputException");
    assert_eq!(code(catalog.database("nope")), "EntityNotFoundException");
    let described = DatabaseInput { description: Some("trips".to_owned()), ..input("other") };
    catalog.update_database("tAxi", described).unwrap();
    let database = catalog.database("TAXI").unwrap();
    assert_eq!(
        (database.name(), database.definition.description.as_deref()),
        ("taxi", Some("trips"))
    );
    catalog.create_table("taxi", table("trips")).unwrap();
    catalog.create_partition("taxi", "trips", partition(&["2024", "01"])).unwrap();
    catalog.delete_database("Taxi").unwrap();
    assert_eq!(code(catalog.delete_database("taxi")), "EntityNotFoundException");
    catalog.create_database(input("taxi")).unwrap();
    assert_eq!(catalog.tables("taxi").unwrap(), []);
    catalog.create_table("taxi", table("trips")).unwrap();
    assert_eq!(
        catalog.partitions("taxi", "trips", None).unwrap(),
        [],
        "nothing of the old table is left"
    );
}

#[test]
fn tables_keep_glues_shape() {
    let lake = lake();
    let created = lake.catalog.create_table("TAXI", table("Trips")).unwrap();
    let read = lake.catalog.table("taxi", "TRIPS").unwrap();
    assert_eq!(created, read);
    let mut shape = serde_json::to_value(&read).unwrap();
    for time in ["CreateTime", "UpdateTime"] {
        assert!(shape[time].as_f64().unwrap() > 1.7e9, "seconds since 1970");
        shape.as_object_mut().unwrap().remove(time);
    }
    let expected = json!({
        "Name": "trips",
        "DatabaseName": "taxi",
        "VersionId": "0",
        "Retention": 0,
        "TableType": "EXTERNAL_TABLE",
        "PartitionKeys": [{"Name": "year", "Type": "int"}, {"Name": "month", "Type": "string"}],
        "StorageDescriptor": {
            "Columns": [{"Name": "vendorid", "Type": "bigint"}, {"Name": "fare"}],
            "Location": "s3://lake/taxi/",
            "Compressed": false,
            "NumberOfBuckets": 0,
            "SerdeInfo": {"SerializationLibrary": "org.apache.hadoop.hive.serde2.OpenCSVSerde",
                "Parameters": {"separatorChar": ","}},
            "SortColumns": [],
            "StoredAsSubDirectories": false,
            "SkewedInfo": {"SkewedColumnNames": ["fare"]},
        },
        "Parameters": {"skip.header.line.count": "1"},
        "TargetTable": {"CatalogId": "1"},
    });
    assert_eq!(shape, expected);
    assert!(!read.is_view());
}

#[test]
fn tables_have_versions() {
    let lake = lake();
    let catalog = &lake.catalog;
    catalog.create_table("taxi", table("trips")).unwrap();
    assert_eq!(code(catalog.create_table("taxi", table("TRIPS"))), "AlreadyExistsException");
    assert_eq!(code(catalog.create_table("nope", table("trips"))), "EntityNotFoundException");
    let update = |expected_version, skip_archive| {
        let update = TableUpdate { expected_version, skip_archive };
        catalog.update_table("taxi", table("trips"), update).map(|table| table.version_id)
    };
    assert_eq!(update(None, false).unwrap(), "1");
    assert_eq!(update(Some("1"), false).unwrap(), "2");
    assert_eq!(code(update(Some("1"), false)), "ConcurrentModificationException");
    assert_eq!(update(Some("2"), true).unwrap(), "3");
    let versions = || -> Vec<String> {
        let versions = catalog.table_versions("taxi", "trips").unwrap();
        versions.into_iter().map(|table| table.version_id).collect()
    };
    assert_eq!(versions(), ["3", "1", "0"]);
    assert_eq!(catalog.table_version("taxi", "trips", "1").unwrap().version_id, "1");
    assert_eq!(code(catalog.table_version("taxi", "trips", "2")), "EntityNotFoundException");
    catalog.delete_table_version("taxi", "trips", "1").unwrap();
    assert_eq!(code(catalog.delete_table_version("taxi", "trips", "1")), "EntityNotFoundException");
    assert_eq!(code(catalog.delete_table_version("taxi", "trips", "3")), "InvalidInputException");
    assert_eq!(versions(), ["3", "0"]);
    assert_eq!(catalog.put_table("taxi", table("trips")).unwrap().version_id, "4");
    assert_eq!(catalog.put_table("taxi", table("new")).unwrap().version_id, "0");
    catalog.delete_table("taxi", "trips").unwrap();
    assert_eq!(code(catalog.delete_table("taxi", "trips")), "EntityNotFoundException");
    assert_eq!(code(update(None, false)), "EntityNotFoundException");
}

/// The publish step of the pipeline: a number only ever grows, whoever is slow.
#[test]
fn version_checks_lose_no_update() {
    let dir = tempfile::tempdir().unwrap();
    let lakes = [Lake::open(dir.path()).unwrap(), Lake::open(dir.path()).unwrap()];
    let input = DatabaseInput { name: "taxi".to_owned(), ..DatabaseInput::default() };
    lakes[0].catalog.create_database(input).unwrap();
    let mut first = table("trips");
    first.parameters.insert("count".to_owned(), "0".to_owned());
    lakes[0].catalog.create_table("taxi", first).unwrap();
    let (writers, rounds) = (6, 10);
    std::thread::scope(|scope| {
        for writer in 0..writers {
            let catalog = &lakes[writer % 2].catalog;
            scope.spawn(move || {
                let mut done = 0;
                while done < rounds {
                    let read = catalog.table("taxi", "trips").unwrap();
                    let mut input = read.definition;
                    let count: usize = input.parameters["count"].parse().unwrap();
                    input.parameters.insert("count".to_owned(), (count + 1).to_string());
                    let update = TableUpdate {
                        expected_version: Some(&read.version_id),
                        skip_archive: true,
                    };
                    match catalog.update_table("taxi", input, update) {
                        Ok(_) => done += 1,
                        Err(CatalogError::VersionMismatch { .. }) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            });
        }
    });
    let table = lakes[1].catalog.table("taxi", "trips").unwrap();
    assert_eq!(table.definition.parameters["count"], (writers * rounds).to_string());
    assert_eq!(table.version_id, (writers * rounds).to_string());
}

#[test]
fn partitions_come_and_go() {
    let lake = lake();
    let catalog = &lake.catalog;
    catalog.create_table("taxi", table("trips")).unwrap();
    let create = |values: &[&str]| catalog.create_partition("taxi", "trips", partition(values));
    create(&["2024", "01"]).unwrap();
    assert_eq!(code(create(&["2024", "01"])), "AlreadyExistsException");
    assert_eq!(code(create(&["2024"])), "InvalidInputException");
    assert_eq!(
        code(catalog.create_partition("taxi", "nope", partition(&[]))),
        "EntityNotFoundException"
    );
    let inputs =
        vec![partition(&["2024", "02"]), partition(&["2024", "01"]), partition(&["2023", "12"])];
    let made: Vec<Option<&str>> = catalog
        .create_partitions("taxi", "trips", inputs)
        .unwrap()
        .iter()
        .map(|made| made.as_ref().err().map(CatalogError::code))
        .collect();
    assert_eq!(made, [None, Some("AlreadyExistsException"), None]);

    let (old, new) = (strings(&["2024", "02"]), strings(&["2024", "03"]));
    let update = |values: &[String]| {
        catalog.update_partition("taxi", "trips", values, partition(&["2024", "03"]))
    };
    update(&old).unwrap();
    assert_eq!(code(update(&old)), "EntityNotFoundException");
    assert_eq!(code(update(&strings(&["2024", "01"]))), "AlreadyExistsException");
    assert!(
        catalog.partition("taxi", "trips", &strings(&["2024", "01"])).is_ok(),
        "a failed update did nothing"
    );
    assert_eq!(catalog.partition("taxi", "trips", &new).unwrap().values(), new);
    catalog.delete_partition("taxi", "trips", &new).unwrap();
    assert_eq!(code(catalog.delete_partition("taxi", "trips", &new)), "EntityNotFoundException");
    let left = catalog.partitions("taxi", "trips", None).unwrap();
    let values: Vec<&[String]> = left.iter().map(Partition::values).collect();
    assert_eq!(values, [strings(&["2023", "12"]), strings(&["2024", "01"])]);
    let error = catalog.partitions("taxi", "trips", Some("nope = 1"));
    assert_eq!(code(error), "InvalidInputException");
}

#[test]
fn filters_let_partitions_through() {
    let keys = [
        Column::new("year", "int"),
        Column::new("month", "string"),
        Column::new("day", "date"),
        Column::new("price", "decimal(5,2)"),
    ];
    let values = strings(&["2024", "01", "2024-01-09", "10.50"]);
    for (filter, expected) in [
        ("year = 2024", true),
        ("year = '2024'", true),
        ("YEAR=02024", true),
        ("year > 999", true),
        ("year < 10000", true),
        ("year >= 2024 and year <= 2024", true),
        ("year <> 2024", false),
        ("year != 2023", true),
        ("month = '01'", true),
        ("month = '1'", false),
        ("month > '0' AND month < '02'", true),
        ("`month` = '01' and \"year\" = 2024", true),
        ("month in ('02', '01')", true),
        ("month not in ('02', '01')", false),
        ("NOT month IN ('02')", true),
        ("month like '0%'", true),
        ("month like '_1'", true),
        ("month like '_'", false),
        ("month not like '%2'", true),
        ("month like '%0%1%'", true),
        ("day between '2024-01-01' and '2024-01-31'", true),
        ("day not between '2024-01-01' and '2024-01-31'", false),
        ("day = date '2024-01-09'", true),
        ("day < '2024-01-10'", true),
        ("price = 10.5", true),
        ("price between 9 and 11", true),
        ("price > 9", true),
        ("year = 2023 or month = '01'", true),
        ("year = 2023 or month = '02' and year = 2024", false),
        ("(year = 2023 or month = '01') and year = 2024", true),
        ("not (year = 2024 and month = '02')", true),
        ("year is null", false),
        ("year is not null", true),
        ("month = 'it''s' or year = 2024", true),
        ("year = 'word'", false),
        ("not year = 'word'", false),
    ] {
        assert_eq!(Filter::parse(filter, &keys).unwrap().matches(&values), expected, "{filter}");
    }
    let null = strings(&["__HIVE_DEFAULT_PARTITION__", "01", "2024-01-09", "1"]);
    for (filter, expected) in [
        ("year is null", true),
        ("year = 2024", false),
        ("not year = 2024", false),
        ("year = 1 or month = '01'", true),
    ] {
        assert_eq!(
            Filter::parse(filter, &keys).unwrap().matches(&null),
            expected,
            "{filter} of NULL"
        );
    }
}

#[test]
fn filters_say_what_is_wrong() {
    let keys = [Column::new("year", "int"), Column::new("month", "string")];
    for (filter, expected) in [
        ("", "byte 0: expected a partition key, found the end"),
        ("year", "byte 4: expected a comparison, found the end"),
        (
            "fare = 1",
            "byte 0: expected one of the partition keys year, month, found Word(\"fare\")",
        ),
        ("year = ", "byte 7: expected a literal, found the end"),
        ("year = month", "byte 7: expected a literal, found Word(\"month\")"),
        ("year = 1 1", "byte 9: expected AND, OR or the end, found Number(\"1\")"),
        ("(year = 1", "byte 9: expected ), found the end"),
        ("month = 'x", "byte 10: expected a closing ', found the end"),
        ("year ; drop", "byte 5: expected a key, a literal or an operator, found ';'"),
        ("year not = 1", "byte 9: expected BETWEEN, IN or LIKE, found Symbol(\"=\")"),
        ("year between 1", "byte 14: expected and, found the end"),
        ("☃ = 1", "byte 0: expected a key, a literal or an operator, found '☃'"),
    ] {
        let error = Filter::parse(filter, &keys).unwrap_err().to_string();
        assert_eq!(error, format!("partition expression, {expected}"), "{filter}");
    }
    let deep = "(".repeat(100_000);
    assert!(Filter::parse(&deep, &keys).is_err(), "nesting has an end");
    let deep = "not ".repeat(100_000) + "year = 1";
    assert!(Filter::parse(&deep, &keys).is_err(), "nesting has an end");
}

//! Groups by keys that are dense, for a while or not at all, beside the same by their texts.

use super::{lake, lines, rows, run};

/// `dense` stays near zero but for strays and NULLs, `later` is one number at first and then any, `day` moves on.
const RIDES: &str = "CREATE TABLE rides WITH (external_location = 's3://lake/rides/') AS \
     SELECT nullif(CASE WHEN x % 997 = 0 THEN x * 1000003 ELSE x % 11 END, 7) AS dense, \
     CAST(CASE WHEN x < 30000 THEN 5 ELSE x * 7919 % 1000003 END AS integer) AS later, \
     date_add('day', x / 500, DATE '2024-01-01') AS day, x % 3 = 0 AS third, CAST(x AS double) / 4 AS fare, \
     nullif(substr('YN?', CAST(x % 3 + 1 AS bigint), 1), '?') AS flag, 'a zone with a long name ' || CAST(x % 263 AS varchar) AS zone, \
     CASE WHEN x < 20000 THEN 'one' ELSE 'name ' || CAST(x AS varchar) END AS name \
     FROM (SELECT x FROM UNNEST(sequence(1, 9000)) t(x) UNION ALL SELECT x FROM UNNEST(sequence(9001, 18000)) t(x) \
     UNION ALL SELECT x FROM UNNEST(sequence(18001, 27000)) t(x) UNION ALL SELECT x FROM UNNEST(sequence(27001, 36000)) t(x))";

const AGGREGATES: &str = "count(*), count(dense), sum(fare), avg(fare), min(fare), max(later), \
     count(*) FILTER (WHERE fare > 1000), sum(later) FILTER (WHERE third)";

#[tokio::test(flavor = "multi_thread")]
async fn dense_groups_are_the_groups_there_are() {
    let lake = lake();
    run(&lake, RIDES).await.unwrap();
    let mut groups = Vec::new();
    for keys in [
        "dense",
        "later",
        "day",
        "third, dense",
        "day, third, dense",
        "later, third",
        "flag",
        "zone",
        "flag, zone, third",
        "name",
    ] {
        let by = |key: &dyn Fn(&str) -> String| {
            let keys = keys.split(", ").map(key).collect::<Vec<_>>().join(", ");
            format!("SELECT {keys}, {AGGREGATES} FROM rides GROUP BY {keys}")
        };
        let plain = by(&str::to_owned);
        let texts = by(&|key| format!("ARRAY[CAST({key} AS varchar)]"));
        let plan = run(&lake, &format!("EXPLAIN {plain}")).await.unwrap();
        let plan = lines(&lake, &plan).join("\n");
        let two_stages = plan.contains("mode=Partial");
        assert_eq!(plan.contains("DenseGroupsExec"), two_stages, "{plan}");
        let plan = run(&lake, &format!("EXPLAIN {texts}")).await.unwrap();
        assert!(!lines(&lake, &plan).join("\n").contains("DenseGroupsExec"));
        let mut found = rows(&lake, &run(&lake, &plain).await.unwrap());
        let mut expected = rows(&lake, &run(&lake, &texts).await.unwrap());
        // A list of one, or of one NULL.
        for row in &mut expected {
            for key in row.iter_mut().take(keys.split(", ").count()) {
                let bare =
                    key.as_deref().map(|key| key.trim_start_matches('[').trim_end_matches(']'));
                *key = bare.filter(|key| *key != "null").map(str::to_owned);
            }
        }
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "GROUP BY {keys}");
        groups.push(found.len());
    }
    assert_eq!(groups[2], 73, "days");
    assert!(groups[0] > 40 && groups[1] > 6_000, "{groups:?}");
}

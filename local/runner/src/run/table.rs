//! A run's outcome for a person.
use std::fmt::Write as _;

use super::outcome::{Load, Outcome};
use crate::columns::{self, aligned, grouped};
use crate::cost::price::MEGABYTE;

/// The table of months, what was refused and why, what it took, and where to look next.
pub fn render(outcome: &Outcome, data_dir: Option<&str>) -> String {
    const STRING: &str = "a String takes every write";
    let mut text = String::new();
    if !outcome.loads.is_empty() {
        let head = columns::row([
            "data set", "month", "", "rows in", "rows out", "rejected", "quality", "seconds",
        ]);
        let mut rows = vec![head];
        rows.extend(outcome.loads.iter().map(row));
        text.push_str(&aligned(&rows, 3));
    }
    for refused in &outcome.refused {
        let column =
            refused.column.as_ref().map(|column| format!(", column {column}")).unwrap_or_default();
        writeln!(
            text,
            "{} {} refused: {}: {} ({}{column})",
            refused.dataset, refused.month, refused.error, refused.cause, refused.file
        )
        .expect(STRING);
    }
    for note in &outcome.notes {
        writeln!(text, "{note}").expect(STRING);
    }
    let usage = &outcome.usage;
    let requests = usage.s3_total();
    writeln!(
        text,
        "\n{} executions, {} state transitions{}, {} queries ({} MB billed), {} invocations, {} S3 requests in {:.1} s; on AWS {:.4} USD",
        outcome.executions.len(),
        usage.transitions,
        match usage.retries {
            0 => String::new(),
            1 => " (1 a retry)".to_owned(),
            retries => format!(" ({retries} of them retries)"),
        },
        usage.queries,
        grouped(usage.billed_bytes / MEGABYTE),
        usage.invocations,
        grouped(requests.writes + requests.lists + requests.reads),
        std::time::Duration::from_millis(outcome.duration_ms).as_secs_f64(),
        outcome.cost_usd,
    )
    .expect(STRING);
    if let Some(load) = outcome.loads.last() {
        let dir = data_dir.map(|dir| format!(" --data-dir {dir}")).unwrap_or_default();
        writeln!(
            text,
            "look at it:  cargo local sql \"SELECT * FROM {}_trips LIMIT 10\"{dir}",
            load.dataset
        )
        .expect(STRING);
        writeln!(text, "rejects:     cargo local sql \"SELECT month, rule, count(*) FROM {}_rejected GROUP BY 1, 2\"{dir}", load.dataset)
            .expect(STRING);
        writeln!(text, "serve it:    cargo local serve{dir}").expect(STRING);
        writeln!(text, "what it costs: cargo local cost{dir}").expect(STRING);
    }
    text
}

fn row(load: &Load) -> Vec<String> {
    vec![
        load.dataset.clone(),
        load.month.clone(),
        if load.unchanged { "unchanged" } else { "loaded" }.to_owned(),
        grouped(load.rows_in),
        grouped(load.rows_out),
        grouped(load.rows_rejected),
        load.score.map_or_else(|| "-".to_owned(), |score| format!("{score:.1}")),
        format!("{:.1}", load.seconds),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::outcome::Refused;

    #[test]
    fn a_month_has_a_line() {
        let load = Load {
            dataset: "green".to_owned(),
            month: "2024-01".to_owned(),
            rows_in: 56_551,
            rows_out: 56_550,
            rows_rejected: 1,
            run: "run".to_owned(),
            unchanged: false,
            score: Some(98.75),
            seconds: 1.24,
        };
        let refused = Refused {
            dataset: "green".to_owned(),
            month: "2024-02".to_owned(),
            file: "green_tripdata_2024-02.parquet".to_owned(),
            column: Some("lpep_pickup_datetime".to_owned()),
            error: "Schema.MissingColumn".to_owned(),
            cause: "a required column is missing".to_owned(),
        };
        let outcome = Outcome { loads: vec![load], refused: vec![refused], ..Outcome::default() };
        let text = render(&outcome, None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0],
            "data set  month            rows in  rows out  rejected  quality  seconds"
        );
        assert_eq!(
            lines[1],
            "green     2024-01  loaded   56,551    56,550         1     98.8      1.2"
        );
        assert_eq!(
            lines[2],
            "green 2024-02 refused: Schema.MissingColumn: a required column is missing (green_tripdata_2024-02.parquet, column lpep_pickup_datetime)"
        );
    }
}

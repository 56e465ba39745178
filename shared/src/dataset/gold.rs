//! Aggregates for reporting: one view a data set, by zone, day, hour and what the contract adds.

use serde::Deserialize;

use super::Dataset;
use crate::sql::{Name, Sql, sql};

/// The aggregates of a data set.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gold {
    /// The column of the zone's number.
    pub zone: String,
    /// The timestamp that gives day and hour.
    pub time: String,
    /// Further columns to group by.
    #[serde(default)]
    pub by: Vec<String>,
    pub measures: Vec<Measure>,
}

/// A column of the aggregates.
#[derive(Clone, Debug, Deserialize)]
pub struct Measure {
    pub name: String,
    #[serde(flatten)]
    pub of: Aggregate,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "measure", rename_all = "snake_case")]
pub enum Aggregate {
    /// How many trips.
    Count,
    Sum {
        column: String,
    },
    Average {
        column: String,
    },
    /// The mean time between two timestamps, in minutes.
    AverageMinutes {
        from: String,
        to: String,
    },
}

impl Gold {
    /// The columns it looks at.
    pub fn columns(&self) -> Vec<&str> {
        let measured = self.measures.iter().flat_map(|measure| match &measure.of {
            Aggregate::Count => vec![],
            Aggregate::Sum { column } | Aggregate::Average { column } => vec![column.as_str()],
            Aggregate::AverageMinutes { from, to } => vec![from.as_str(), to.as_str()],
        });
        let grouped = [&self.zone, &self.time].into_iter().chain(&self.by).map(String::as_str);
        grouped.chain(measured).collect()
    }
}

impl Measure {
    fn sql(&self) -> Sql {
        let value = match &self.of {
            Aggregate::Count => sql("COUNT(*)", &[]),
            Aggregate::Sum { column } => sql("SUM(t.{})", &[&Name(column)]),
            Aggregate::Average { column } => sql("AVG(t.{})", &[&Name(column)]),
            Aggregate::AverageMinutes { from, to } => {
                sql("AVG(date_diff('second', t.{}, t.{})) / 60.0", &[&Name(from), &Name(to)])
            }
        };
        sql("{} AS {}", &[&value, &Name(&self.name)])
    }
}

impl Dataset {
    /// The name of its gold view, when it has one.
    pub fn gold_view(&self) -> Option<String> {
        self.gold.as_ref().map(|_| format!("gold_{}_daily", self.name))
    }

    /// The statement that makes its gold view over its published view and the zones', when it has
    /// one. Trips of an unknown zone stay, with an empty zone.
    pub fn create_gold_view(&self, database: &str) -> Option<Sql> {
        let (gold, view) = (self.gold.as_ref()?, self.gold_view()?);
        let mut columns = vec![
            sql("t.{}", &[&Name(&gold.zone)]),
            sql("z.\"zone\"", &[]),
            sql("z.\"borough\"", &[]),
            sql("CAST(t.{} AS date) AS \"day\"", &[&Name(&gold.time)]),
            sql("EXTRACT(HOUR FROM t.{}) AS \"hour\"", &[&Name(&gold.time)]),
        ];
        columns.extend(gold.by.iter().map(|column| sql("t.{}", &[&Name(column)])));
        let groups = Sql::join((1..=columns.len()).map(|ordinal| sql("{}", &[&ordinal])), ", ");
        columns.extend(gold.measures.iter().map(Measure::sql));
        Some(sql(
            "CREATE OR REPLACE VIEW {}.{} AS SELECT {} FROM {}.{} t \
             LEFT JOIN {}.\"taxi_zones\" z ON t.{} = z.\"locationid\" GROUP BY {}",
            &[
                &Name(database),
                &Name(&view),
                &Sql::join(columns, ", "),
                &Name(database),
                &Name(&self.view),
                &Name(database),
                &Name(&gold.zone),
                &groups,
            ],
        ))
    }
}

//! The audit: what the conversion has written, counted.

use shared::dataset::Share;
use shared::sql::{Name, Sql, Text, sql};

use crate::plan::RunPlan;

/// The SELECT over the stage table: a row for each outcome and rule with its rows, and a column
/// for each expectation of the contract with the rows that count against it. It has as many rows
/// as rules, and reads only the columns it measures.
pub fn audit(plan: &RunPlan<'_>) -> Sql {
    let measures = plan.dataset.expectations.iter().filter_map(|expectation| {
        let counts = counts(&expectation.share, plan)?;
        let name = Name(&expectation.name);
        Some(sql("SUM(CASE WHEN {} THEN 1 ELSE 0 END) AS {}", &[&counts, &name]))
    });
    let columns =
        [sql("\"outcome\"", &[]), sql("\"rule\"", &[]), sql("COUNT(*) AS \"row_count\"", &[])];
    sql(
        "SELECT {}\nFROM {}\nGROUP BY \"outcome\", \"rule\"",
        &[&Sql::join(columns.into_iter().chain(measures), ",\n  "), &plan.table(&plan.stage_table)],
    )
}

/// When a row counts; none where the outcome itself says it, or there is no month to be out of.
fn counts(share: &Share, plan: &RunPlan<'_>) -> Option<Sql> {
    Some(match share {
        Share::Rejected => return None,
        Share::Empty { column } => sql("{} IS NULL", &[&Name(column)]),
        Share::Negative { column } => sql("{} < 0", &[&Name(column)]),
        Share::Zero { column } => sql("{} = 0", &[&Name(column)]),
        Share::OutOfMonth { column } => {
            let day = |month: shared::month::Month| {
                month
                    .first_day()
                    .map(|day| sql("TIMESTAMP {}", &[&Text(&format!("{day} 00:00:00"))]))
            };
            let (first, next) = (day(plan.month)?, day(plan.month.next())?);
            let column = Name(column);
            sql("{} < {} OR {} >= {}", &[&column, &first, &column, &next])
        }
    })
}

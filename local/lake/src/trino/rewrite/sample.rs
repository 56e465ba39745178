//! `t TABLESAMPLE BERNOULLI (10)`: rows of a relation, by chance.

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectNamePart, Query, SetExpr, TableAlias, TableFactor, TableSample,
    TableSampleKind, TableSampleMethod, UnaryOperator, Value,
};
use datafusion::sql::sqlparser::parser::Parser;

use crate::sql::Failure;
use crate::trino::dialect::TrinoDialect;

/// Makes a sampled relation a query that leaves each row to chance. For `SYSTEM` too: Trino takes or leaves whole pieces of
/// files then, and which pieces there are is its own affair.
///
/// # Errors
/// What percentages Trino refuses, and those that are no numbers.
pub(super) fn by_chance(factor: &mut TableFactor) -> Result<(), Failure> {
    let (sample, alias) = match factor {
        TableFactor::Table { sample, alias, name, .. } => {
            let own = name.0.last().and_then(ObjectNamePart::as_ident);
            (sample.take(), alias.clone().or_else(|| own.map(called)))
        }
        TableFactor::Derived { sample, alias, .. } => (sample.take(), alias.clone()),
        _ => return Ok(()),
    };
    let Some(TableSampleKind::BeforeTableAlias(sample) | TableSampleKind::AfterTableAlias(sample)) =
        sample
    else {
        return Ok(());
    };
    let chance = percentage(&sample)?;
    let all = factor.clone();
    *factor = TableFactor::Derived {
        lateral: false,
        subquery: Box::new(sampled(all, chance)?),
        // Columns have their names within.
        alias: alias.map(|alias| TableAlias { columns: Vec::new(), ..alias }),
        sample: None,
    };
    Ok(())
}

fn called(name: &Ident) -> TableAlias {
    TableAlias { explicit: true, name: name.clone(), columns: Vec::new(), at: None }
}

fn percentage(sample: &TableSample) -> Result<f64, Failure> {
    let refused = |text: String| Failure::not_supported(format!("TABLESAMPLE {text}"));
    if !matches!(sample.name, Some(TableSampleMethod::Bernoulli | TableSampleMethod::System))
        || sample.seed.is_some()
        || sample.bucket.is_some()
        || sample.offset.is_some()
    {
        return Err(refused(format!("is BERNOULLI (n) or SYSTEM (n), not {sample}")));
    }
    let given = sample.quantity.as_ref().filter(|quantity| quantity.unit.is_none());
    let value = given.and_then(|quantity| literal(&quantity.value));
    let value = value.ok_or_else(|| refused(format!("takes a number, not {sample}")))?;
    if value < 0.0 {
        return Err(Failure::new(
            "INVALID_ARGUMENTS",
            "Sample percentage must be greater than or equal to 0",
        ));
    }
    if value > 100.0 {
        return Err(Failure::new(
            "INVALID_ARGUMENTS",
            "Sample percentage must be less than or equal to 100",
        ));
    }
    Ok(value)
}

fn literal(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => literal(expr).map(|value| -value),
        _ => None,
    }
}

/// `SELECT * FROM relation WHERE random() * 100 < chance`.
fn sampled(relation: TableFactor, chance: f64) -> Result<Query, Failure> {
    let template = format!("SELECT * FROM t WHERE random() * 1e2 < {chance:e}");
    let parsed = Parser::new(&TrinoDialect).try_with_sql(&template);
    let mut query = parsed
        .and_then(|mut parser| parser.parse_query())
        .map_err(|error| Failure::not_supported(error.to_string()))?;
    if let SetExpr::Select(select) = query.body.as_mut()
        && let Some(from) = select.from.first_mut()
    {
        from.relation = relation;
    }
    Ok(*query)
}

//! MERGE: the target joined with the source, each row with the number of its clause.
//!
//! The values of each clause are columns of their own, evaluated for the rows of that clause alone;
//! so one query answers all, and values keep their types.

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, new_null_array};
use datafusion::arrow::compute::{cast, filter_record_batch};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::sql::sqlparser::ast::helpers::attached_token::AttachedToken;
use datafusion::sql::sqlparser::ast::{BinaryOperator, CaseWhen, Expr, Query, TableFactor, Value};
use futures::StreamExt;

use super::rows::{Rows, check_assigned, check_types, planned};
use super::statement::{Merge, MergeAction, MergeClause};
use super::target::{Target, column, item, joined, places, query};
use crate::sql::{Failure, QueryError, QueryOutput, TrinoType};
use crate::tables::iceberg::POSITION_COLUMN;
use crate::trino::planning;
use crate::trino::query::Running;

/// Columns of the query before those of the target: clause, path, place.
const LEADING: usize = 3;

/// A clause with the places of its columns in the target and of their values in the query.
struct Planned<'a> {
    clause: &'a MergeClause,
    /// Of each column of the target: where its value is.
    values: Vec<Source>,
}

#[derive(Clone, Copy)]
enum Source {
    /// A column of the query.
    At(usize),
    Null,
}

pub(super) async fn run(running: &Running<'_>, merge: &Merge) -> Result<QueryOutput, QueryError> {
    let target = Target::load(running, &merge.table, "MERGE")?;
    let mut values = Vec::new();
    let mut clauses = Vec::new();
    for (number, clause) in merge.clauses.iter().enumerate() {
        let first = LEADING + target.columns.len() + values.len();
        let assigned = assigned(&target, clause)?;
        let places = (0..target.columns.len()).map(|at| {
            match assigned.iter().position(|(column, _)| *column == at) {
                Some(place) => Source::At(first + place),
                None if clause.matched => Source::At(LEADING + at),
                None => Source::Null,
            }
        });
        clauses.push(Planned { clause, values: places.collect() });
        values.extend(assigned.into_iter().map(|(_, value)| (number, value)));
    }
    let query = build(merge, &target, &values);
    let (state, plan) = planned(running, &target, &query).await?;
    let kinds: Vec<TrinoType> =
        plan.schema().fields().iter().map(|field| TrinoType::of_field(field)).collect();
    for planned in &clauses {
        let found = planned.values.iter().map(|source| match source {
            Source::At(at) => kinds[*at].clone(),
            Source::Null => TrinoType::Unknown,
        });
        check_types(&target.columns, &found.collect::<Vec<_>>(), "MERGE")?;
    }
    let mut rows = Rows::new(running, &target)?;
    let mut stream = planning::frame(state.clone(), plan).execute_stream().await?;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        let numbers = cast(batch.column(0), &DataType::Int64)
            .map_err(datafusion::error::DataFusionError::from)?;
        for (number, planned) in clauses.iter().enumerate() {
            let share = share(&batch, &numbers, number)?;
            apply(&mut rows, planned, &share, &target)?;
        }
    }
    rows.commit(&state).await
}

/// The rows of a clause.
fn share(
    batch: &RecordBatch,
    numbers: &ArrayRef,
    number: usize,
) -> datafusion::common::Result<RecordBatch> {
    let number = i64::try_from(number).unwrap_or(i64::MAX);
    let own: BooleanArray = numbers
        .as_primitive::<Int64Type>()
        .iter()
        .map(|found| Some(found == Some(number)))
        .collect();
    Ok(filter_record_batch(batch, &own)?)
}

fn apply(
    rows: &mut Rows<'_>,
    planned: &Planned<'_>,
    share: &RecordBatch,
    target: &Target,
) -> Result<(), QueryError> {
    if share.num_rows() == 0 {
        return Ok(());
    }
    rows.changed += share.num_rows() as u64;
    if planned.clause.matched {
        rows.take(share.column(1), share.column(2))?;
    }
    if let MergeAction::Delete = planned.clause.action {
        return Ok(());
    }
    let columns =
        planned.values.iter().zip(&target.columns).map(|(source, (_, kind))| match source {
            Source::At(at) => share.column(*at).clone(),
            Source::Null => new_null_array(&kind.to_arrow(), share.num_rows()),
        });
    Ok(rows.put(columns.collect(), share.num_rows())?)
}

/// The target's columns that a clause gives values, by their places.
fn assigned(target: &Target, clause: &MergeClause) -> Result<Vec<(usize, Expr)>, Failure> {
    let place = |name: &str| {
        target.column(name).ok_or_else(|| {
            Failure::new(
                "COLUMN_NOT_FOUND",
                format!("Insert column name does not exist in target table: {name}"),
            )
        })
    };
    match &clause.action {
        MergeAction::Delete => Ok(Vec::new()),
        MergeAction::Update(assignments) => {
            check_assigned(target, assignments, "MERGE")?;
            assignments.iter().map(|(name, value)| Ok((place(name)?, value.clone()))).collect()
        }
        MergeAction::Insert { columns, values } => {
            let count = if columns.is_empty() { target.columns.len() } else { columns.len() };
            if count != values.len() {
                return Err(Failure::type_mismatch(format!(
                    "MERGE INSERT has {count} columns and {} values",
                    values.len()
                )));
            }
            for (at, name) in columns.iter().enumerate() {
                if columns[..at].contains(name) {
                    return Err(Failure::new(
                        "DUPLICATE_COLUMN_NAME",
                        format!("Insert column name is specified more than once: {name}"),
                    ));
                }
            }
            if columns.is_empty() {
                return Ok(values.iter().cloned().enumerate().collect());
            }
            let pairs = columns.iter().zip(values);
            pairs.map(|(name, value)| Ok((place(name)?, value.clone()))).collect()
        }
    }
}

fn build(merge: &Merge, target: &Target, values: &[(usize, Expr)]) -> Query {
    let name = merge.alias.as_deref().unwrap_or(&merge.table.name);
    // Rows of the source that match nothing count only where a clause asks for them.
    let kind = if merge.clauses.iter().all(|clause| clause.matched) { "INNER" } else { "RIGHT" };
    query(name, Some(kind), |select| {
        let number = number(merge, name);
        select.projection.push(item(number.clone(), "$case"));
        select.projection.extend(places(name));
        for (at, (known, _)) in target.columns.iter().enumerate() {
            select.projection.push(item(column(name, known), &format!("$t{at}")));
        }
        for (at, (clause, value)) in values.iter().enumerate() {
            let own = equal(number.clone(), literal(*clause));
            select.projection.push(item(case(vec![(own, value.clone())]), &format!("$v{at}")));
        }
        let source = if merge.source.joins.is_empty() {
            merge.source.relation.clone()
        } else {
            TableFactor::NestedJoin {
                table_with_joins: Box::new(merge.source.clone()),
                alias: None,
            }
        };
        joined(select, source, merge.condition.clone());
    })
}

/// Which clause a row is for; NULL where it is for none.
fn number(merge: &Merge, target: &str) -> Expr {
    let branches = merge.clauses.iter().enumerate().map(|(number, clause)| {
        let place = Box::new(column(target, POSITION_COLUMN));
        let found = if clause.matched { Expr::IsNotNull(place) } else { Expr::IsNull(place) };
        let when = match &clause.condition {
            Some(condition) => both(found, Expr::Nested(Box::new(condition.clone()))),
            None => found,
        };
        (when, literal(number))
    });
    case(branches.collect())
}

fn case(branches: Vec<(Expr, Expr)>) -> Expr {
    Expr::Case {
        case_token: AttachedToken::empty(),
        end_token: AttachedToken::empty(),
        operand: None,
        conditions: branches
            .into_iter()
            .map(|(condition, result)| CaseWhen { condition, result })
            .collect(),
        else_result: None,
    }
}

fn binary(left: Expr, op: BinaryOperator, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op, right: Box::new(right) }
}

fn both(left: Expr, right: Expr) -> Expr {
    binary(left, BinaryOperator::And, right)
}

fn equal(left: Expr, right: Expr) -> Expr {
    binary(left, BinaryOperator::Eq, right)
}

fn literal(number: usize) -> Expr {
    Expr::Value(Value::Number(number.to_string(), false).into())
}

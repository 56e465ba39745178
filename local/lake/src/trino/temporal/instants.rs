//! Where values are grouped, sorted and counted: values with zones by their instants.

use std::sync::Arc;

use datafusion::common::{DFSchema, Result};
use datafusion::functions_aggregate::expr_fn::min;
use datafusion::logical_expr::expr::{AggregateFunction, Sort, WindowFunction};
use datafusion::logical_expr::{Aggregate, Distinct, Expr, LogicalPlan, LogicalPlanBuilder};

use super::{Temporal, kind_of, refuse_parts};
use crate::sql::{Failure, TrinoType};
use crate::trino::functions::{instant_type, unexpected};
use crate::trino::operators::orderable;

/// Aggregates that count which values there are.
const COUNTING: [&str; 2] = ["count", "approx_distinct"];
/// Aggregates that do not ask whether values are the same, but for their DISTINCT.
const CHOOSING: [&str; 8] =
    ["min", "max", "min_by", "max_by", "array_agg", "first_value", "last_value", "nth_value"];

impl Temporal {
    fn sorts(&self, sorts: Vec<Sort>, schema: &DFSchema) -> Result<Vec<Sort>> {
        sorts
            .into_iter()
            .map(|sort| {
                let kind = kind_of(&sort.expr, schema)?;
                if !orderable(&kind) {
                    return Err(Failure::type_mismatch(format!(
                        "Type {kind} is not orderable, and therefore cannot be used in ORDER BY"
                    ))
                    .into());
                }
                refuse_parts(&kind)?;
                Ok(Sort { expr: self.instant(sort.expr, &kind), ..sort })
            })
            .collect()
    }

    pub(super) fn aggregate(
        &self,
        mut call: AggregateFunction,
        schema: &DFSchema,
    ) -> Result<AggregateFunction> {
        let name = call.func.name().to_owned();
        call.params.order_by = self.sorts(call.params.order_by, schema)?;
        if name == "count" && !call.params.distinct {
            return Ok(call);
        }
        if matches!(name.as_str(), "min" | "max") {
            let kinds = call.params.args.iter().map(|argument| kind_of(argument, schema));
            let kinds = kinds.collect::<Result<Vec<_>>>()?;
            if !kinds.iter().all(orderable) {
                return Err(unexpected(&name, &kinds, &format!("{name}(E)")).into());
            }
        }
        if COUNTING.contains(&name.as_str()) {
            call.params.args = self.told_apart(call.params.args, schema)?;
            return Ok(call);
        }
        let chooses = CHOOSING.contains(&name.as_str())
            && (!call.params.distinct || matches!(name.as_str(), "min" | "max"));
        for argument in call.params.args.iter().filter(|_| !chooses) {
            if kind_of(argument, schema)?.holds_zone() {
                return Err(Failure::not_supported(format!(
                    "{name} of values with time zones is not supported{}",
                    if call.params.distinct { " with DISTINCT" } else { "" }
                ))
                .into());
            }
        }
        Ok(call)
    }

    fn told_apart(&self, exprs: Vec<Expr>, schema: &DFSchema) -> Result<Vec<Expr>> {
        exprs
            .into_iter()
            .map(|expr| {
                let kind = kind_of(&expr, schema)?;
                refuse_parts(&kind)?;
                Ok(self.instant(expr, &kind))
            })
            .collect()
    }

    pub(super) fn window(
        &self,
        mut call: Box<WindowFunction>,
        schema: &DFSchema,
    ) -> Result<Box<WindowFunction>> {
        call.params.order_by = self.sorts(call.params.order_by, schema)?;
        call.params.partition_by = self.told_apart(call.params.partition_by, schema)?;
        // The value of another row, or a default.
        if matches!(call.fun.name(), "lag" | "lead") && call.params.args.len() == 3 {
            let default = call.params.args.pop().into_iter();
            let offset = call.params.args.pop();
            let both = std::mem::take(&mut call.params.args).into_iter().chain(default).collect();
            let mut both = self.as_one("Value and default", both, schema)?.into_iter();
            call.params.args = both.next().into_iter().chain(offset).chain(both).collect();
        }
        Ok(call)
    }

    pub(super) fn by_instants(&self, node: LogicalPlan, schema: &DFSchema) -> Result<LogicalPlan> {
        match node {
            LogicalPlan::Sort(mut sort) => {
                sort.expr = self.sorts(sort.expr, schema)?;
                Ok(LogicalPlan::Sort(sort))
            }
            LogicalPlan::Aggregate(aggregate) => self.grouped(aggregate, schema),
            LogicalPlan::Distinct(Distinct::All(input)) if has_zone(input.schema()) => {
                let columns: Vec<Expr> = input.schema().iter().map(Expr::from).collect();
                let schema = input.schema().clone();
                self.grouped(Aggregate::try_new(input, columns, Vec::new())?, &schema)
            }
            other => Ok(other),
        }
    }

    /// Groups by instants, each shown in one of the zones its values have.
    fn grouped(&self, aggregate: Aggregate, schema: &DFSchema) -> Result<LogicalPlan> {
        let mut zoned = Vec::new();
        for (at, expr) in aggregate.group_expr.iter().enumerate() {
            if let Expr::GroupingSet(sets) = expr {
                for expr in sets.distinct_expr() {
                    if kind_of(expr, schema)?.holds_zone() {
                        return Err(Failure::not_supported(
                            "grouping sets over values with time zones are not supported",
                        )
                        .into());
                    }
                }
                continue;
            }
            let kind = kind_of(expr, schema)?;
            refuse_parts(&kind)?;
            if instant_type(&kind).is_some() {
                zoned.push(at);
            }
        }
        if zoned.is_empty() {
            return Ok(LogicalPlan::Aggregate(aggregate));
        }
        let shown = aggregate.schema.clone();
        let (mut keys, mut found) = (aggregate.group_expr, aggregate.aggr_expr);
        let groups = keys.len();
        for at in &zoned {
            let key = keys[*at].clone().unalias();
            let kind = kind_of(&key, schema)?;
            found.push(min(key.clone()).alias(format!("$shown{at}")));
            keys[*at] = self.instant(key, &kind).alias(format!("$instant{at}"));
        }
        let grouped = LogicalPlan::Aggregate(Aggregate::try_new(aggregate.input, keys, found)?);
        let columns: Vec<Expr> = shown
            .iter()
            .enumerate()
            .map(|(at, (qualifier, field))| {
                if at < groups && zoned.contains(&at) {
                    let column = Expr::Column(format!("\"$shown{at}\"").into());
                    column.alias_qualified(qualifier.cloned(), field.name())
                } else {
                    Expr::from((qualifier, field))
                }
            })
            .collect();
        LogicalPlanBuilder::from(Arc::new(grouped)).project(columns)?.build()
    }
}

fn has_zone(schema: &DFSchema) -> bool {
    schema.fields().iter().any(|field| TrinoType::of_field(field).holds_zone())
}

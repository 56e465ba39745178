//! The table a statement changes, as the queries inside the statement see it.

use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, Query, Select, SelectItem, SetExpr, TableFactor,
};
use datafusion::sql::sqlparser::parser::Parser;

use crate::hive::TableName;
use crate::sql::{Failure, QueryError, TrinoType};
use crate::tables::PATH_COLUMN;
use crate::tables::iceberg::{IcebergRows, IcebergTable, POSITION_COLUMN, SnapshotFiles};
use crate::trino::dialect::TrinoDialect;
use crate::trino::names::complete;
use crate::trino::query::Running;
use crate::trino::schemas::{Visible, to_change};

/// The name by which a statement's own query knows the table; no other table has it.
pub(in crate::trino) const TARGET: &str = "$target";

/// A table in one state, with the files of its rows.
pub(super) struct Target {
    pub table: IcebergTable,
    pub columns: Vec<(String, TrinoType)>,
    pub files: SnapshotFiles,
}

impl Target {
    /// Errors: `TABLE_NOT_FOUND`; `NOT_SUPPORTED` of tables that are not Iceberg's.
    pub fn load(running: &Running<'_>, name: &TableName, verb: &str) -> Result<Self, QueryError> {
        let (database, name) = complete(name, running.context);
        let lake = running.lake;
        let entry = to_change(lake, &database, &name)?;
        if !entry.is_iceberg() {
            return Err(Failure::not_supported(match verb {
                "OPTIMIZE" | "VACUUM" => {
                    format!("{verb} is for Iceberg tables alone: {database}.{name}")
                }
                _ => "Modifying Hive table rows is only supported for transactional tables"
                    .to_owned(),
            })
            .into());
        }
        let table = IcebergTable::load(&lake.store, &entry)?;
        table.check_writable()?;
        Ok(Self {
            columns: table.columns()?,
            files: SnapshotFiles::of(&lake.store, table.metadata.current_snapshot())?,
            table,
        })
    }

    /// What the statement's query sees: the table's rows with their places, of some of its files.
    pub fn visible(
        &self,
        running: &Running<'_>,
        files: SnapshotFiles,
    ) -> Result<Visible, QueryError> {
        let rows = IcebergRows::current(&running.lake.store, &self.table)?;
        let rows = rows.with_places().of_files(files);
        Ok(Visible { target: Some(Arc::new(rows)), ..running.visible() })
    }

    /// The place of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|(known, _)| known == name)
    }
}

/// A query of the target by a name: `SELECT … FROM "$target" AS "name"`, with what `shape` makes of it.
pub(super) fn query(name: &str, join: Option<&str>, shape: impl FnOnce(&mut Select)) -> Query {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let join = join.map_or_else(String::new, |kind| format!(" {kind} JOIN \"s\" ON TRUE"));
    let text = format!("SELECT 1 FROM {} AS {}{join}", quoted(TARGET), quoted(name));
    let parsed = Parser::new(&TrinoDialect).try_with_sql(&text);
    let parsed = parsed.and_then(|mut parser| parser.parse_query());
    let mut query = *parsed.expect("the text is a query");
    let SetExpr::Select(select) = query.body.as_mut() else { unreachable!("the text is a SELECT") };
    select.projection.clear();
    shape(select);
    query
}

/// A column of the target.
pub(super) fn column(table: &str, name: &str) -> Expr {
    Expr::CompoundIdentifier(vec![quoted(table), quoted(name)])
}

pub(super) fn quoted(name: &str) -> Ident {
    Ident::with_quote('"', name)
}

pub(super) fn item(expr: Expr, alias: &str) -> SelectItem {
    SelectItem::ExprWithAlias { expr, alias: quoted(alias) }
}

/// Where the rows are, as the first two columns of a query.
pub(super) fn places(table: &str) -> [SelectItem; 2] {
    [PATH_COLUMN, POSITION_COLUMN].map(|name| item(column(table, name), name))
}

/// Puts a relation in place of the one a template joins.
pub(super) fn joined(select: &mut Select, source: TableFactor, condition: Expr) {
    use datafusion::sql::sqlparser::ast::{JoinConstraint, JoinOperator};
    let join = &mut select.from[0].joins[0];
    join.relation = source;
    let constraint = JoinConstraint::On(condition);
    join.join_operator = match join.join_operator {
        JoinOperator::Right(_) | JoinOperator::RightOuter(_) => {
            JoinOperator::RightOuter(constraint)
        }
        _ => JoinOperator::Inner(constraint),
    };
}

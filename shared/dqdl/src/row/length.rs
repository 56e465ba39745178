//! `ColumnLength`.

use super::{compared, literal};
use crate::condition::{Comparison, Operator};
use crate::number::Number;
use crate::table::Column;

/// NULL has the length 0 where lengths are compared by order. Around 0 the lists are as Glue's executor has them.
pub(super) fn length(column: &Column, comparison: &Comparison<Number>) -> Result<String, String> {
    let operands: Vec<_> = comparison.operands.iter().map(literal).collect::<Result<_, _>>()?;
    let name = column.sql();
    let length = format!("LENGTH({})", column.text());
    let with_zero = comparison.operands.iter().any(|operand| operand.literal() == Some(0.0));
    let list = operands.join(", ");
    Ok(match comparison.operator {
        Operator::In if with_zero => format!("({name} IS NULL OR {length} IN ({list}))"),
        Operator::In => format!("COALESCE({length} IN ({list}), FALSE)"),
        Operator::NotIn if with_zero => {
            format!("({name} IS NOT NULL OR COALESCE({length} NOT IN ({list}), FALSE))")
        }
        Operator::NotIn => format!("({name} IS NULL OR {length} NOT IN ({list}))"),
        Operator::NotBetween if with_zero => format!("{name} IS NOT NULL"),
        Operator::NotBetween => {
            format!(
                "({name} IS NULL OR {length} <= {} OR {length} >= {})",
                operands[0],
                operands[operands.len() - 1]
            )
        }
        operator => {
            compared(&format!("COALESCE({length}, 0)"), "FALSE", operator, &operands, false)
        }
    })
}

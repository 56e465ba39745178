//! Maps that ask for more than their mode gives.
//! Source: <https://docs.aws.amazon.com/step-functions/latest/dg/state-map.html>.

use super::outline::StateOutline;
use super::remark::Remark;
use crate::definition::ExecutionType;
use crate::event::StateType;

/// The most iterations of an inline Map at once.
const INLINE_CONCURRENCY: u64 = 40;

pub(super) fn remarks(state: &StateOutline, execution_type: ExecutionType) -> Vec<Remark> {
    if state.state_type != Some(StateType::Map) {
        return Vec::new();
    }
    let mut remarks = Vec::new();
    let concurrency = state.number("MaxConcurrency").unwrap_or_default();
    if !state.is_distributed_map() {
        if concurrency > INLINE_CONCURRENCY {
            remarks.push(
                Remark::warning(
                    "inline-map-concurrency",
                    format!("{}/MaxConcurrency", state.pointer),
                    format!("an inline Map with MaxConcurrency {concurrency}"),
                )
                .expected(format!("at most {INLINE_CONCURRENCY}, which is all it runs at once"))
                .advice("lower it, or make the Map a Distributed one"),
            );
        }
        return remarks;
    }
    if execution_type == ExecutionType::Express {
        remarks.push(
            Remark::error(
                "distributed-map-in-express",
                state.pointer.clone(),
                "a Distributed Map in an EXPRESS state machine",
            )
            .expected("a STANDARD state machine, or an inline Map")
            .advice("make the state machine STANDARD; the children may be EXPRESS"),
        );
    }
    if state.value.get("ResultWriter").is_none() {
        remarks.push(
            Remark::warning(
                "distributed-map-without-writer",
                state.pointer.clone(),
                "a Distributed Map without ResultWriter: all results together must fit 256 KiB",
            )
            .expected("ResultWriter")
            .advice("have the results written to S3, and read what is needed from there"),
        );
    }
    remarks
}

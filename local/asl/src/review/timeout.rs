//! Tasks that nothing ends.

use super::outline::StateOutline;
use super::remark::Remark;
use crate::definition::ExecutionType;
use crate::event::StateType;

/// A Task of a STANDARD machine without a limit of its own, or a heartbeat that would be missed.
/// (An EXPRESS execution ends after five minutes, whatever its Tasks do.)
pub(super) fn remarks(state: &StateOutline, execution_type: ExecutionType) -> Option<Remark> {
    let is_standard_task =
        state.state_type == Some(StateType::Task) && execution_type == ExecutionType::Standard;
    (is_standard_task && !state.is_bounded()).then(|| {
        Remark::warning(
            "task-without-timeout",
            state.pointer.clone(),
            "a Task without TimeoutSeconds, which is then 99,999,999",
        )
        .expected("TimeoutSeconds")
        .advice(
            "give it the longest time that its work may take, and retry or catch States.Timeout",
        )
    })
}

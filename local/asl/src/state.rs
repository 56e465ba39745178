//! The eight state types, one a file.

mod attempt;
mod choice;
mod condition;
mod distributed;
mod fail;
mod iteration;
mod map;
mod map_run;
mod map_trial;
mod parallel;
mod pass;
mod succeed;
mod task;
mod task_events;
mod tolerance;
mod wait;

use crate::definition::{Fields, Targets};
use crate::event::StateType;

pub(crate) use choice::Choice;
pub(crate) use fail::Fail;
pub(crate) use map::Map;
pub(crate) use parallel::Parallel;
pub(crate) use pass::Pass;
pub(crate) use succeed::run as succeed;
pub(crate) use task::Task;
pub(crate) use wait::Wait;

#[derive(Debug)]
pub(crate) enum StateKind {
    Task(Box<Task>),
    Pass(Pass),
    Choice(Choice),
    Wait(Wait),
    Succeed,
    Fail(Fail),
    Parallel(Parallel),
    Map(Box<Map>),
}

impl StateKind {
    /// What only a state of this type has. `None` when problems leave nothing to run.
    pub fn parse(state_type: StateType, fields: &Fields, targets: &Targets) -> Option<Self> {
        Some(match state_type {
            StateType::Task => Self::Task(Box::new(Task::parse(fields)?)),
            StateType::Pass => Self::Pass(Pass::parse(fields)),
            StateType::Choice => Self::Choice(Choice::parse(fields, targets)?),
            StateType::Wait => Self::Wait(Wait::parse(fields)?),
            StateType::Succeed => Self::Succeed,
            StateType::Fail => Self::Fail(Fail::parse(fields)),
            StateType::Parallel => Self::Parallel(Parallel::parse(fields)?),
            StateType::Map => Self::Map(Box::new(Map::parse(fields)?)),
        })
    }

    pub fn state_type(&self) -> StateType {
        match self {
            Self::Task(_) => StateType::Task,
            Self::Pass(_) => StateType::Pass,
            Self::Choice(_) => StateType::Choice,
            Self::Wait(_) => StateType::Wait,
            Self::Succeed => StateType::Succeed,
            Self::Fail(_) => StateType::Fail,
            Self::Parallel(_) => StateType::Parallel,
            Self::Map(_) => StateType::Map,
        }
    }
}

impl StateType {
    /// Has `Retry` and `Catch`.
    pub(crate) fn can_fail(self) -> bool {
        matches!(self, Self::Task | Self::Parallel | Self::Map)
    }

    /// Has `ResultPath`.
    pub(crate) fn has_result(self) -> bool {
        self.can_fail() || self == Self::Pass
    }

    /// Has `Next` or `End`.
    pub(crate) fn has_next(self) -> bool {
        !matches!(self, Self::Choice | Self::Succeed | Self::Fail)
    }
}

//! The eight state types, one a file.

mod attempt;
mod choice;
mod condition;
mod distributed;
mod fail;
mod iteration;
mod map;
mod parallel;
mod pass;
mod succeed;
mod task;
mod task_events;
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
    pub fn parse(fields: &Fields, targets: &Targets) -> Option<Self> {
        Some(match fields.text("Type")? {
            "Task" => Self::Task(Box::new(Task::parse(fields)?)),
            "Pass" => Self::Pass(Pass::parse(fields)),
            "Choice" => Self::Choice(Choice::parse(fields, targets)?),
            "Wait" => Self::Wait(Wait::parse(fields)?),
            "Succeed" => Self::Succeed,
            "Fail" => Self::Fail(Fail::parse(fields)),
            "Parallel" => Self::Parallel(Parallel::parse(fields)?),
            "Map" => Self::Map(Box::new(Map::parse(fields)?)),
            other => {
                fields.wrong("Type", format!("'{other}' is not a state type"));
                return None;
            }
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

    /// Has `Retry` and `Catch`.
    pub fn can_fail(&self) -> bool {
        matches!(self, Self::Task(_) | Self::Parallel(_) | Self::Map(_))
    }

    /// Has `ResultPath`.
    pub fn has_result(&self) -> bool {
        self.can_fail() || matches!(self, Self::Pass(_))
    }

    /// Has `Next` or `End`.
    pub fn has_next(&self) -> bool {
        !matches!(self, Self::Choice(_) | Self::Succeed | Self::Fail(_))
    }
}

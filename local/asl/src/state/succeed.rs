//! Succeed: ends its machine with its input, or what it selects of it.

use crate::definition::Transition;
use crate::failure::Trouble;
use crate::variables::Variables;
use crate::visit::{Exit, Visit};

pub(crate) fn run(visit: &Visit, variables: &Variables) -> Result<Exit, Trouble> {
    let exit = visit.exit_without_result(variables)?;
    Ok(Exit { next: Transition::End, ..exit })
}

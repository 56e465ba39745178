//! What can be known of a definition before it runs, beyond what Step Functions itself refuses:
//! names nothing sets, loops nothing ends, retries without a bound, results that outgrow a state.
//!
//! [`review`] reads the definition as it is written ([`Outline`]), so that one broken state does
//! not hide what is wrong with the others. It knows the language alone: what a service takes,
//! answers and raises is told by whoever knows services.

mod cycle;
mod duplicate;
mod expression;
mod handler;
mod literal;
mod map;
mod outline;
mod payload;
mod remark;
mod reserved;
mod retry;
mod syntax;
mod timeout;
mod variable;

use serde_json::Value;

pub use outline::{Lead, MachineOutline, Outline, StateOutline, Way, Within};
pub use payload::hands_on;
pub use remark::{Remark, nearest};

use crate::definition::{Definition, ExecutionType};

/// Everything to be said of a definition: first what Step Functions refuses, then the rest in the
/// order of the text.
pub fn review(text: &str, execution_type: ExecutionType) -> Vec<Remark> {
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let outline = Outline::of(&document);
    let mut remarks = Vec::new();
    if let Err(diagnostics) = Definition::parse_as(text, execution_type) {
        remarks.extend(diagnostics.iter().map(|found| syntax::remark(found, &document, &outline)));
    }
    remarks.extend(duplicate::remarks(text));
    remarks.extend(variable::remarks(&outline));
    remarks.extend(cycle::remarks(&outline));
    for state in &outline.states {
        remarks.extend(reserved::remarks(state));
        remarks.extend(literal::remarks(state));
        remarks.extend(retry::remarks(state));
        remarks.extend(handler::remarks(state));
        remarks.extend(timeout::remarks(state, execution_type));
        remarks.extend(map::remarks(state, execution_type));
    }
    remarks.extend(payload::remarks(&outline));
    remarks
}

//! Whole runs, endpoints, contracts and floors, in one test binary.
//!
//! Stands on top of every other crate and is depended on by none.

pub mod fuzz;
pub mod house;
pub mod killing;
pub mod simulation;

#[cfg(test)]
mod approval;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod check;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod cost;
#[cfg(test)]
mod floors;
#[cfg(test)]
mod killed;
#[cfg(test)]
mod model;
#[cfg(test)]
mod permissions;
#[cfg(test)]
#[cfg(test)]
mod quality;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod whole_run;

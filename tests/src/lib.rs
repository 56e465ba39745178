//! Whole runs, endpoints, contracts and floors, in one test binary.
//!
//! Stands on top of every other crate and is depended on by none.

#[cfg(test)]
mod contract;
#[cfg(test)]
mod floors;
#[cfg(test)]
mod house;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod whole_run;

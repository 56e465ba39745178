//! check-athena-result

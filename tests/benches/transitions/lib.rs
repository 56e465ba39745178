//! A bench alone: `benches/transitions.rs`.

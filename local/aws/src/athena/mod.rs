//! Athena: queries over the lake, and what stands around them (workgroups, prepared and named
//! statements, the catalog as Athena shows it).
//!
//! Statements are run by `lake`'s SQL engine; this module gives them Athena's life: what is
//! refused at once, what waits for its turn, what is remembered, and how a result is paged.

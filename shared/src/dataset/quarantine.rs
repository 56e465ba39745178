//! Where rows go that are not loaded.

/// The columns beside the canonical ones, in their order: the file's name, and of a rejected row
/// the rule, the reason, and its values as they came, joined by commas.
pub const QUARANTINE_COLUMNS: [&str; 4] = ["file", "rule", "reason", "raw"];

/// A CSV row with more or fewer fields than its header. It holds for every data set.
pub const RAGGED_ROW: &str = "ragged_row";

/// A value that is there, but is not of its column's type. It holds for every data set.
pub const UNPARSABLE_VALUE: &str = "unparsable_value";

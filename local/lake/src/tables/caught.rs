//! Work of libraries that panic where bytes are not what they should be.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// What the work answers, or that it panicked, whose words are for the library's own readers. What it worked on must not
/// be used again then.
pub(super) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| "the data cannot be decoded".to_owned())
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_is_an_error() {
        assert_eq!(caught(|| 1), Ok(1));
        let bytes: Vec<u8> = Vec::new();
        assert_eq!(caught(|| bytes[0]).unwrap_err(), "the data cannot be decoded");
    }
}

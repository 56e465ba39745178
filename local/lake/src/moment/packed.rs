//! Fixed-size bytes of values, as they are appended.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, FixedSizeBinaryArray, NullBufferBuilder};

use super::Layout;
use crate::sql::Failure;

pub(super) struct Packed {
    pub layout: Layout,
    /// Bytes of a value.
    width: usize,
    bytes: Vec<u8>,
    nulls: NullBufferBuilder,
}

impl Packed {
    pub fn new(layout: Layout, rows: usize) -> Self {
        let width = usize::try_from(layout.width()).unwrap_or(0);
        Self {
            layout,
            width,
            bytes: Vec::with_capacity(rows * width),
            nulls: NullBufferBuilder::new(rows),
        }
    }

    /// Appends what `pack` writes, filled up to the width; nothing when it fails.
    pub fn append(
        &mut self,
        pack: impl FnOnce(&mut Vec<u8>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let begin = self.bytes.len();
        if let Err(failure) = pack(&mut self.bytes) {
            self.bytes.truncate(begin);
            return Err(failure);
        }
        self.bytes.resize(begin + self.width, 0);
        self.nulls.append_non_null();
        Ok(())
    }

    pub fn append_null(&mut self) {
        self.bytes.resize(self.bytes.len() + self.width, 0);
        self.nulls.append_null();
    }

    pub fn finish(mut self) -> ArrayRef {
        let nulls = self.nulls.finish();
        Arc::new(FixedSizeBinaryArray::new(self.layout.width(), self.bytes.into(), nulls))
    }
}

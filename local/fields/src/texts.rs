//! Texts one behind the other.

use arrow_array::StringArray;
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};

#[derive(Debug)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    ends: Vec<i32>,
}

impl Default for Texts {
    fn default() -> Self {
        Self { bytes: Vec::new(), ends: vec![0] }
    }
}

impl Texts {
    #[inline]
    pub fn push(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.end();
    }

    /// The next text is empty, or stands for nothing.
    #[inline]
    pub fn end(&mut self) {
        self.ends.push(i32::try_from(self.bytes.len()).expect("a batch of texts is below 2 GiB"));
    }

    /// All texts; what is no UTF-8 in them is replaced by `U+FFFD`.
    pub fn finish(&mut self, nulls: Option<NullBuffer>) -> StringArray {
        let (rows, bytes) = (self.ends.len(), self.bytes.len());
        let ends = std::mem::replace(&mut self.ends, Vec::with_capacity(rows));
        self.ends.push(0);
        let bytes = std::mem::replace(&mut self.bytes, Vec::with_capacity(bytes));
        let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
        let bytes = Buffer::from_vec(bytes);
        StringArray::try_new(offsets.clone(), bytes.clone(), nulls.clone())
            .unwrap_or_else(|_| repaired(&offsets, &bytes, nulls))
    }
}

fn repaired(offsets: &OffsetBuffer<i32>, bytes: &[u8], nulls: Option<NullBuffer>) -> StringArray {
    let mut texts = Texts::default();
    for range in offsets.windows(2) {
        let place = |end: i32| usize::try_from(end).unwrap_or_default();
        texts.push(String::from_utf8_lossy(&bytes[place(range[0])..place(range[1])]).as_bytes());
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(texts.ends));
    StringArray::new(offsets, Buffer::from_vec(texts.bytes), nulls)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_and_what_is_none_is_replaced() {
        let mut texts = Texts::default();
        for text in [&b"one"[..], b"", "z\u{fc}rich".as_bytes()] {
            texts.push(text);
        }
        let found = texts.finish(None);
        assert_eq!(found.iter().flatten().collect::<Vec<_>>(), ["one", "", "z\u{fc}rich"]);
        // Two halves of a letter are no letter.
        for text in [&b"a\xc3"[..], b"\xbcb", b"c"] {
            texts.push(text);
        }
        let found = texts.finish(Some(NullBuffer::from(vec![true, true, false])));
        assert_eq!(found.iter().collect::<Vec<_>>(), [Some("a\u{fffd}"), Some("\u{fffd}b"), None]);
        assert_eq!(texts.ends, [0]);
    }
}

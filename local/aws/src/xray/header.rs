//! `X-Amzn-Trace-Id`: which trace a request belongs to, and whether it is recorded.
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>

use std::fmt;

use uuid::Uuid;

/// The header, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceHeader {
    /// `1-<start in seconds, 8 hex digits>-<24 hex digits>`
    pub root: String,
    /// Of the segment that sends the request.
    pub parent: Option<String>,
    pub sampled: bool,
}

impl TraceHeader {
    /// A new trace.
    pub fn new(sampled: bool) -> Self {
        let seconds = lake::clock::now().as_second();
        let random = Uuid::new_v4().simple().to_string();
        TraceHeader { root: format!("1-{seconds:08x}-{}", &random[..24]), parent: None, sampled }
    }

    /// `None` without a root.
    pub fn parse(header: &str) -> Option<Self> {
        let part = |name: &str| {
            let mut parts = header.split(';').filter_map(|part| part.trim().split_once('='));
            parts.find(|(key, _)| *key == name).map(|(_, value)| value.to_owned())
        };
        Some(TraceHeader {
            root: part("Root")?,
            parent: part("Parent"),
            sampled: part("Sampled").as_deref() == Some("1"),
        })
    }

    /// The same trace, as a segment of it passes it on; the segment's id is new.
    #[must_use]
    pub fn child(&self) -> Self {
        TraceHeader { parent: Some(segment_id()), ..self.clone() }
    }
}

/// 16 hex digits.
fn segment_id() -> String {
    Uuid::new_v4().simple().to_string()[..16].to_owned()
}

impl fmt::Display for TraceHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Root={}", self.root)?;
        if let Some(parent) = &self.parent {
            write!(f, ";Parent={parent}")?;
        }
        write!(f, ";Sampled={}", u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_and_written() {
        let text = "Root=1-67891233-abcdef012345678912345678;Parent=53995c3f42cd8ad8;Sampled=1";
        let header = TraceHeader::parse(text).unwrap();
        assert_eq!(header.to_string(), text);
        assert!(header.sampled);
        let child = header.child();
        assert_eq!((&child.root, child.sampled), (&header.root, true));
        assert_ne!(child.parent, header.parent);
        let lone = TraceHeader::parse("Sampled=0; Root=1-a-b").unwrap();
        assert_eq!(lone.to_string(), "Root=1-a-b;Sampled=0");
        assert_eq!(TraceHeader::parse("Parent=1"), None);
        assert_eq!(TraceHeader::new(false).root.len(), "1-67891233-abcdef012345678912345678".len());
    }
}

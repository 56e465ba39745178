//! Subsegments for AWS X-Ray: the invocation, and in it every call of the SDK.
//!
//! Lambda's own segment says how long a function took; these say what for. They are made of the spans that exist
//! anyway (the SDK opens one an operation), and sent as datagrams to the daemon that Lambda runs beside the function.
//! Nobody waits for them, and nothing is sent of an invocation that is not sampled.
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html>

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::net::UdpSocket;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// The span that one invocation is; its fields become annotations, which traces can be searched by.
const INVOCATION: &str = "invocation";
/// The field of that span with the trace header; the Lambda runtime calls it so in its own span.
const TRACE: &str = "xrayTraceId";

/// What a datagram begins with.
const HEADER: &str = "{\"format\": \"json\", \"version\": 1}\n";

/// The layer that sends them.
#[derive(Debug)]
pub(crate) struct XRay {
    daemon: UdpSocket,
}

/// A subsegment under way: an extension of its span.
struct Subsegment {
    trace: String,
    parent: String,
    id: String,
    start: f64,
    document: Map<String, Value>,
}

impl XRay {
    /// `address` is `AWS_XRAY_DAEMON_ADDRESS`.
    pub fn connect(address: &str) -> io::Result<Self> {
        let daemon = UdpSocket::bind("0.0.0.0:0")?;
        daemon.connect(address)?;
        daemon.set_nonblocking(true)?;
        Ok(Self { daemon })
    }

    /// What this layer looks at: our invocation, the SDK's operations, and errors.
    pub fn wants(metadata: &Metadata<'_>) -> bool {
        if metadata.is_span() {
            metadata.name() == INVOCATION || metadata.target().starts_with("aws_sdk_")
        } else {
            *metadata.level() == Level::ERROR
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for XRay {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let subsegment = if span.name() == INVOCATION {
            let header = fields.0.remove(TRACE).unwrap_or_default();
            sampled(&header).map(|(trace, parent)| {
                let document = json!({"name": INVOCATION, "annotations": fields.annotations()});
                Subsegment::begin(trace.to_owned(), parent.to_owned(), document)
            })
        } else {
            let (service, operation) = (fields.0.get("rpc.service"), fields.0.get("rpc.method"));
            service.zip(operation).and_then(|(service, operation)| {
                let ancestors = span.scope().skip(1);
                let mut outer = ancestors.filter_map(|outer| {
                    let extensions = outer.extensions();
                    let outer = extensions.get::<Subsegment>()?;
                    Some((outer.trace.clone(), outer.id.clone()))
                });
                let (trace, parent) = outer.next()?;
                let document = json!({
                    "name": service, "namespace": "aws", "aws": {"operation": operation},
                });
                Some(Subsegment::begin(trace, parent, document))
            })
        };
        if let Some(subsegment) = subsegment {
            span.extensions_mut().insert(subsegment);
        }
    }

    /// An error that is logged is an error of its invocation.
    fn on_event(&self, _: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.lookup_current() else { return };
        for span in span.scope() {
            if let Some(subsegment) = span.extensions_mut().get_mut::<Subsegment>() {
                subsegment.document.insert("error".to_owned(), true.into());
            }
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(subsegment) = span.extensions_mut().remove::<Subsegment>() else { return };
        // What does not arrive is not missed: a trace is no record.
        let _ = self.daemon.send(subsegment.end().as_bytes());
    }
}

impl Subsegment {
    fn begin(trace: String, parent: String, document: Value) -> Self {
        let document = match document {
            Value::Object(document) => document,
            _ => Map::new(),
        };
        Self { trace, parent, id: random_id(), start: now(), document }
    }

    /// The datagram.
    fn end(self) -> String {
        let mut document = self.document;
        let members = [
            ("type", json!("subsegment")),
            ("id", json!(self.id)),
            ("trace_id", json!(self.trace)),
            ("parent_id", json!(self.parent)),
            ("start_time", json!(self.start)),
            ("end_time", json!(now())),
        ];
        document.extend(members.map(|(name, value)| (name.to_owned(), value)));
        format!("{HEADER}{}", Value::Object(document))
    }
}

/// Root and parent of a trace header, if its trace is to be sent.
fn sampled(header: &str) -> Option<(&str, &str)> {
    let part = |name: &str| {
        header.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
    };
    (part("Sampled") == Some("1")).then(|| part("Root").zip(part("Parent"))).flatten()
}

/// 16 hexadecimal digits out of the standard library's randomly keyed hasher.
fn random_id() -> String {
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// The fields of a span that are texts.
#[derive(Default)]
struct Fields(std::collections::BTreeMap<&'static str, String>);

impl Fields {
    /// Those that say something.
    fn annotations(&self) -> Map<String, Value> {
        let said = self.0.iter().filter(|(_, value)| !value.is_empty());
        said.map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect()
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    const ROOT: &str = "1-67891233-abcdef012345678912345678";

    /// The documents that arrive of an invocation with this trace header.
    fn sent(header: &str) -> Vec<Value> {
        let daemon = UdpSocket::bind("127.0.0.1:0").unwrap();
        daemon.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let layer = XRay::connect(&daemon.local_addr().unwrap().to_string()).unwrap();
        let filter = tracing_subscriber::filter::filter_fn(XRay::wants);
        let subscriber = tracing_subscriber::registry().with(layer.with_filter(filter));
        tracing::subscriber::with_default(subscriber, || {
            let invocation = tracing::info_span!(
                "invocation",
                xrayTraceId = header,
                execution = "arn:e",
                dataset = "green",
                month = ""
            );
            let _in = invocation.enter();
            {
                let call = tracing::debug_span!(
                    target: "aws_sdk_s3::operation::get_object", "S3.GetObject",
                    "rpc.service" = "S3", "rpc.method" = "GetObject", "sdk_invocation_id" = 7
                );
                let _in = call.enter();
            }
            let _other = tracing::debug_span!("another crate's");
            tracing::error!("failed");
        });
        let mut documents = Vec::new();
        let mut buffer = [0; 4096];
        while let Ok(size) = daemon.recv(&mut buffer) {
            let text = std::str::from_utf8(&buffer[..size]).unwrap();
            let document = text.strip_prefix(HEADER).unwrap();
            documents.push(serde_json::from_str(document).unwrap());
        }
        documents
    }

    #[test]
    fn calls_are_subsegments_of_their_invocation() {
        let documents = sent(&format!("Root={ROOT};Parent=53995c3f42cd8ad8;Sampled=1"));
        let [call, invocation] = &documents[..] else { panic!("{documents:#?}") };
        assert_eq!(call["name"], "S3");
        assert_eq!(call["namespace"], "aws");
        assert_eq!(call["aws"], json!({"operation": "GetObject"}));
        assert_eq!(call["parent_id"], invocation["id"]);
        assert!(call.get("error").is_none(), "{call}");
        assert_eq!(invocation["name"], "invocation");
        assert_eq!(invocation["parent_id"], "53995c3f42cd8ad8");
        assert_eq!(invocation["annotations"], json!({"dataset": "green", "execution": "arn:e"}));
        assert_eq!(invocation["error"], true);
        for document in &documents {
            assert_eq!(document["type"], "subsegment");
            assert_eq!(document["trace_id"], ROOT);
            assert_eq!(document["id"].as_str().unwrap().len(), 16);
            assert!(document["end_time"].as_f64() >= document["start_time"].as_f64());
        }
    }

    #[test]
    fn nothing_is_sent_of_what_is_not_sampled() {
        for header in ["", "Root=1-a-b;Parent=c;Sampled=0", "Root=1-a-b;Parent=c", "Sampled=1"] {
            assert!(sent(header).is_empty(), "{header}");
        }
    }
}

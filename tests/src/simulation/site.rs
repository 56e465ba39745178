//! The TLC's site within this process: a map of paths, answering as the real one does.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use extract::source::Transport;
use futures::future::BoxFuture;
use jiff::Timestamp;
use reqwest::header::{CONTENT_LENGTH, ETAG, HeaderMap, IF_MATCH, LAST_MODIFIED, RANGE};
use reqwest::{Method, Request, Response};
use sha2::{Digest, Sha256};

use super::fault::{CallSite, Caller, Fault};
use super::functions::Crash;
use super::gate::{Gate, Verdict};

/// The files of the site. What is not there is forbidden, as at the TLC's.
#[derive(Clone, Default)]
pub struct Site(Arc<Mutex<BTreeMap<String, File>>>);

#[derive(Clone)]
struct File {
    bytes: Bytes,
    modified: Timestamp,
}

impl Site {
    /// Puts a file at `/<path>`, or another in its place.
    pub fn publish(&self, path: &str, bytes: impl Into<Bytes>, modified: Timestamp) {
        let file = File { bytes: bytes.into(), modified };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(format!("/{path}"), file);
    }

    fn has(&self, path: &str) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(path)
    }

    fn answer(&self, request: &Request) -> http::Response<reqwest::Body> {
        let files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(file) = files.get(request.url().path()) else {
            return status(403);
        };
        let etag = format!("\"{:x}\"", Sha256::digest(&file.bytes));
        let header = |headers: &HeaderMap, name| {
            headers
                .get(name)
                .and_then(|value: &http::HeaderValue| value.to_str().ok())
                .map(str::to_owned)
        };
        if header(request.headers(), IF_MATCH).is_some_and(|wanted| wanted != etag) {
            return status(412);
        }
        let from = header(request.headers(), RANGE)
            .and_then(|range| range.strip_prefix("bytes=")?.trim_end_matches('-').parse().ok())
            .unwrap_or(0)
            .min(file.bytes.len());
        let body = file.bytes.slice(from..);
        let modified = file.modified.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let builder = http::Response::builder()
            .status(if from > 0 { 206 } else { 200 })
            .header(ETAG, etag)
            .header(LAST_MODIFIED, modified)
            .header(CONTENT_LENGTH, body.len());
        let body = if request.method() == Method::HEAD { Bytes::new() } else { body };
        builder.body(body.into()).expect("every header is plain text")
    }
}

fn status(status: u16) -> http::Response<reqwest::Body> {
    http::Response::builder().status(status).body(Bytes::new().into()).expect("a plain status")
}

/// The way from one function to the site.
pub struct Wire {
    pub site: Site,
    pub gate: Arc<Gate>,
    pub crash: Crash,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl Transport for Wire {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, String>> {
        Box::pin(async move {
            let site = CallSite {
                caller: Caller::Download,
                from: "extract".to_owned(),
                service: "site".to_owned(),
                action: format!("{} {}", request.method(), request.url().path()),
            };
            let answer = || Ok(self.site.answer(&request).into());
            if !self.site.has(request.url().path()) {
                return answer();
            }
            let Verdict::Fail(fault) = self.gate.call(&site) else {
                return answer();
            };
            match fault {
                Fault::Refused | Fault::Outage => Ok(status(503).into()),
                Fault::AnswerLost => Err("connection reset".to_owned()),
                Fault::Delayed(pause) => {
                    tokio::time::sleep(pause).await;
                    answer()
                }
                Fault::KillBefore | Fault::KillAfter => self.gate.kill().await,
                Fault::CrashBefore | Fault::CrashAfter | Fault::Zombie | Fault::Litter => {
                    self.crash.now().await
                }
            }
        })
    }
}

//! The place the months come from: an HTTP server on loopback that answers as the
//! TLC's does, over the sample or over a folder of real files.
//!
//! `GET` and `HEAD` of `/trip-data/<file>` and `/misc/taxi_zone_lookup.csv`, with `ETag`,
//! `Last-Modified`, `Range`, `If-Match` and the other conditions. What is not there is
//! HTTP 403, as the TLC answers for a month that is not out yet.
mod folder;
mod range;

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use aws::wire::door;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri, header};
use axum::routing::get;
use futures::TryStreamExt as _;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio::net::TcpListener;

pub use self::folder::{Folder, FolderError, Published};
use self::range::{Range, RangeError};

/// A running source; it ends when this is dropped.
#[derive(Debug)]
pub struct Source {
    address: SocketAddr,
    task: tokio::task::JoinHandle<io::Result<()>>,
}

impl Source {
    /// Serves a folder on a free port of 127.0.0.1.
    pub async fn start(folder: Arc<Folder>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let task = tokio::spawn(async move { axum::serve(listener, router(folder)).await });
        Ok(Self { address, task })
    }

    /// The base address, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn router(folder: Arc<Folder>) -> Router {
    Router::new()
        .route("/{place}/{file}", get(answer))
        .fallback(|| async { refuse(StatusCode::FORBIDDEN) })
        .with_state(folder)
}

async fn answer(
    State(folder): State<Arc<Folder>>,
    UrlPath((place, file)): UrlPath<(String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    if door::check(&uri, &headers).is_err() {
        return refuse(StatusCode::FORBIDDEN);
    }
    let published = match folder.find(&place, &file).await {
        Ok(Some(published)) => published,
        Ok(None) => return refuse(StatusCode::FORBIDDEN),
        Err(error) => {
            tracing::error!(%file, %error, "the source cannot read a file");
            return refuse(StatusCode::INTERNAL_SERVER_ERROR);
        }
    };
    if let Some(status) = published.condition(&headers) {
        return refuse(status);
    }
    let wanted = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let range = match wanted.map(|text| Range::parse(text, published.bytes)) {
        None | Some(Err(RangeError::NotUnderstood)) => None,
        Some(Ok(range)) => Some(range),
        Some(Err(RangeError::Beyond)) => {
            let mut response = refuse(StatusCode::RANGE_NOT_SATISFIABLE);
            let whole = format!("bytes */{}", published.bytes);
            response
                .headers_mut()
                .insert(header::CONTENT_RANGE, whole.parse().expect("digits are a header value"));
            return response;
        }
    };
    deliver(&published, range, method == Method::HEAD).await
}

async fn deliver(published: &Published, range: Option<Range>, head_only: bool) -> Response<Body> {
    let Range { first, last } = range.unwrap_or(Range::whole(published.bytes));
    let length = if published.bytes == 0 { 0 } else { last - first + 1 };
    let mut response = Response::builder()
        .status(if range.is_some() { StatusCode::PARTIAL_CONTENT } else { StatusCode::OK })
        .header(header::ETAG, &published.etag)
        .header(header::LAST_MODIFIED, published.last_modified())
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CONTENT_TYPE, published.content_type())
        .header(header::CONTENT_LENGTH, length);
    if range.is_some() {
        response = response
            .header(header::CONTENT_RANGE, format!("bytes {first}-{last}/{}", published.bytes));
    }
    let body =
        if head_only { Ok(Body::empty()) } else { read(&published.path, first, length).await };
    match body {
        Ok(body) => response.body(body).expect("every header is plain text"),
        Err(error) => {
            tracing::error!(path = %published.path.display(), %error, "the source cannot read a file");
            refuse(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// A file's bytes as a stream of chunks.
async fn read(path: &Path, first: u64, length: u64) -> io::Result<Body> {
    /// Bytes in memory per answer.
    const CHUNK: usize = 256 * 1024;
    let mut file = tokio::fs::File::open(path).await?;
    file.seek(io::SeekFrom::Start(first)).await?;
    let chunks = futures::stream::try_unfold(file.take(length), |mut file| async move {
        let mut chunk = bytes::BytesMut::with_capacity(CHUNK);
        let read = file.read_buf(&mut chunk).await?;
        Ok::<_, io::Error>((read > 0).then(|| (chunk.freeze(), file)))
    });
    Ok(Body::from_stream(chunks.into_stream()))
}

fn refuse(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests;

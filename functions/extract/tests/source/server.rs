//! A web server on loopback that answers as a test says, and remembers what it was asked.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub target: String,
    /// Names in lower case.
    pub headers: HashMap<String, String>,
    pub body: Vec<u8>,
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// Bytes of the body that are sent before the connection breaks off.
    pub cut: Option<usize>,
    /// Whether the body's length is said where no header does.
    pub length: bool,
}

impl Reply {
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), cut: None, length: true }
    }

    pub fn file(body: &[u8], etag: &str) -> Self {
        let headers = vec![
            ("etag", etag.to_owned()),
            ("last-modified", "Fri, 01 Mar 2024 07:08:09 GMT".to_owned()),
        ];
        Self { headers, body: body.to_vec(), ..Self::status(200) }
    }

    pub fn xml(body: &str) -> Self {
        Self { body: body.as_bytes().to_vec(), ..Self::status(200) }
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn cut(self, bytes: usize) -> Self {
        Self { cut: Some(bytes), ..self }
    }
}

/// All requests so far.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Request>>>);

impl Log {
    pub fn all(&self) -> Vec<Request> {
        self.0.lock().unwrap().clone()
    }

    /// `METHOD target` of those that go to `place`.
    pub fn lines(&self, place: &str) -> Vec<String> {
        let all = self.all();
        let ours = all.iter().filter(|request| request.target.starts_with(place));
        ours.map(|request| format!("{} {}", request.method, request.target)).collect()
    }
}

/// Starts a server; answers its base URL.
pub async fn serve(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> (String, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (log, answer) = (Log::default(), Arc::new(answer));
    let seen = log.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (answer, seen) = (Arc::clone(&answer), seen.clone());
            tokio::spawn(async move {
                let mut stream = BufReader::new(stream);
                while let Some(request) = read(&mut stream).await {
                    seen.0.lock().unwrap().push(request.clone());
                    let reply = answer(&request);
                    if !write(&mut stream, &request, reply).await {
                        return;
                    }
                }
            });
        }
    });
    (base, log)
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut request =
        Request { method: words.next()?, target: words.next()?, ..Request::default() };
    loop {
        line.clear();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        request.headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = request.headers.get("content-length").and_then(|length| length.parse().ok());
    request.body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut request.body).await.ok()?;
    Some(request)
}

/// Whether the connection stays.
async fn write(stream: &mut BufReader<TcpStream>, request: &Request, reply: Reply) -> bool {
    let mut head = format!("HTTP/1.1 {} X\r\n", reply.status);
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let says = ["content-length", "transfer-encoding"];
    let said = reply.headers.iter().any(|(name, _)| says.contains(name));
    if reply.length && reply.status != 204 && !said {
        head.push_str(&format!("content-length: {}\r\n", reply.body.len()));
    }
    head.push_str("\r\n");
    let body = if request.method == "HEAD" { &[] } else { reply.body.as_slice() };
    let sent = &body[..reply.cut.unwrap_or(body.len()).min(body.len())];
    stream.write_all(&[head.as_bytes(), sent].concat()).await.is_ok() && reply.cut.is_none()
}

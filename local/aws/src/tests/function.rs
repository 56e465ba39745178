//! A function for the tests: this test binary itself, started by a script, speaking the Runtime API.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

/// Writes a script that runs [`bootstrap`] below as a function.
pub fn script(folder: &Path) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let path = folder.join("bootstrap");
    let binary = std::env::current_exe().unwrap();
    let text = format!(
        "#!/bin/sh\nexec '{}' --exact tests::function::bootstrap --nocapture\n",
        binary.display()
    );
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

fn request(address: &str, head: &str, body: &str) -> (Vec<String>, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{head} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut reader = BufReader::new(stream);
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the runtime API has gone");
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        headers.push(line);
    }
    let mut body = String::new();
    reader.read_to_string(&mut body).unwrap();
    (headers, body)
}

/// Reads an object with the function's own credentials; S3's error is the function's.
fn get(path: &str) -> Result<Value, Value> {
    let endpoint = std::env::var("AWS_ENDPOINT_URL").unwrap();
    let key = std::env::var("AWS_ACCESS_KEY_ID").unwrap();
    let credential = format!("{key}/20260101/us-east-1/s3/aws4_request");
    let head = format!(
        "GET {path} HTTP/1.1\r\nauthorization: AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0\r\nx-ignored: "
    );
    let (headers, body) = request(endpoint.trim_start_matches("http://"), &head, "");
    if headers[0].contains(" 200 ") {
        return Ok(json!({"body": body}));
    }
    let part = |name: &str| {
        let rest = body.split_once(&format!("<{name}>")).unwrap().1;
        rest.split_once('<').unwrap().0.to_owned()
    };
    Err(json!({"errorType": part("Code"), "errorMessage": part("Message").replace("&quot;", "\"")}))
}

/// What the function does with an event: `{"do": …}`, or the event back with its environment; or what its environment has for an `ANSWER`.
fn handle(event: &Value) -> Result<Value, Value> {
    if let Ok(answer) = std::env::var("ANSWER") {
        return Ok(serde_json::from_str(&answer).unwrap());
    }
    match event["do"].as_str() {
        Some("sleep") => {
            std::thread::sleep(Duration::from_millis(event["ms"].as_u64().unwrap()));
            Ok(json!({"pid": std::process::id()}))
        }
        Some("eat") => {
            let bytes = usize::try_from(event["mib"].as_u64().unwrap()).unwrap() * 1024 * 1024;
            let eaten = vec![1_u8; bytes];
            std::thread::sleep(Duration::from_millis(500));
            Ok(json!({"eaten": eaten.len()}))
        }
        Some("exit") => std::process::exit(i32::try_from(event["code"].as_i64().unwrap()).unwrap()),
        Some("kill") => {
            let pid = std::process::id().to_string();
            std::process::Command::new("kill").args(["-9", &pid]).status().unwrap();
            Ok(Value::Null)
        }
        Some("get") => get(event["path"].as_str().unwrap()),
        Some("fail") => Err(json!({"errorType": event["type"], "errorMessage": "as asked"})),
        _ => Ok(json!({
            "event": event,
            "pid": std::process::id(),
            "name": std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap(),
            "endpoint": std::env::var("AWS_ENDPOINT_URL").unwrap(),
            "stage": std::env::var("STAGE").unwrap_or_default(),
        })),
    }
}

/// A test that does nothing, unless it is run as a function.
#[test]
fn bootstrap() {
    let Ok(address) = std::env::var("AWS_LAMBDA_RUNTIME_API") else {
        return;
    };
    loop {
        let (headers, body) = request(&address, "GET /2018-06-01/runtime/invocation/next", "");
        let id = headers
            .iter()
            .find_map(|line| line.strip_prefix("lambda-runtime-aws-request-id: "))
            .unwrap();
        let mut out = std::io::stderr();
        writeln!(out, "working on {body}").unwrap();
        let (kind, answer) = match handle(&serde_json::from_str(&body).unwrap()) {
            Ok(answer) => ("response", answer),
            Err(error) => ("error", error),
        };
        let head = format!("POST /2018-06-01/runtime/invocation/{id}/{kind}");
        request(&address, &head, &answer.to_string());
    }
}

//! The source's answers over real sockets.
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;
use crate::tlc::TripFile;

/// The status, the headers and the body of a request written by hand.
async fn ask(source: &Source, request: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(source.address).await.unwrap();
    let request = request.replacen("\r\n", "\r\nHost: 127.0.0.1\r\nConnection: close\r\n", 1);
    stream.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = String::from_utf8_lossy(&answer[..end]).to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, answer[end + 4..].to_vec())
}

fn folder(dir: &Path) -> Folder {
    std::fs::write(dir.join("green_tripdata_2024-01.parquet"), b"PAR1 is how it starts").unwrap();
    std::fs::write(dir.join("green_tripdata_2024-01.csv"), b"the same month").unwrap();
    std::fs::write(dir.join("green_tripdata_2020-04.csv.gz"), b"").unwrap();
    std::fs::write(dir.join("SOURCES.md"), b"where from").unwrap();
    Folder::scan(dir, &dir.join("builtin")).unwrap()
}

#[tokio::test]
async fn it_answers_as_the_tlc_does() {
    let dir = tempfile::tempdir().unwrap();
    let source = Source::start(Arc::new(folder(dir.path()))).await.unwrap();
    let month = "/trip-data/green_tripdata_2024-01.parquet HTTP/1.1\r\n";
    let (status, head, body) = ask(&source, &format!("GET {month}")).await;
    assert_eq!((status, body.as_slice()), (200, b"PAR1 is how it starts".as_slice()));
    let etag = head.lines().find_map(|line| line.strip_prefix("etag: ")).unwrap().to_owned();
    assert!(head.contains("last-modified: ") && head.contains("accept-ranges: bytes"), "{head}");

    let (status, head, body) = ask(&source, &format!("HEAD {month}")).await;
    assert_eq!((status, body.len()), (200, 0));
    assert!(head.contains("content-length: 21"), "{head}");

    let (status, head, body) =
        ask(&source, &format!("GET {month}Range: bytes=5-6\r\nIf-Match: {etag}\r\n")).await;
    assert_eq!((status, body.as_slice()), (206, b"is".as_slice()));
    assert!(head.contains("content-range: bytes 5-6/21"), "{head}");

    for (request, expected) in [
        (format!("GET {month}Range: bytes=21-\r\n"), 416),
        (format!("GET {month}If-Match: \"other\"\r\n"), 412),
        (format!("GET {month}If-None-Match: {etag}\r\n"), 304),
        (format!("GET {month}Host: rebound.example.com\r\n"), 403),
        (format!("GET {month}Origin: https://example.com\r\n"), 403),
        ("GET /trip-data/green_tripdata_2024-02.parquet HTTP/1.1\r\n".to_owned(), 403),
        ("GET /trip-data/green_tripdata_2024-01.csv HTTP/1.1\r\n".to_owned(), 403),
        ("GET /trip-data/..%2fSOURCES.md HTTP/1.1\r\n".to_owned(), 403),
        ("GET / HTTP/1.1\r\n".to_owned(), 403),
        ("GET /trip-data/green_tripdata_2020-04.csv.gz HTTP/1.1\r\n".to_owned(), 200),
        ("GET /misc/taxi_zone_lookup.csv HTTP/1.1\r\n".to_owned(), 200),
    ] {
        assert_eq!(ask(&source, &request).await.0, expected, "{request}");
    }
}

#[test]
fn a_folder_says_what_it_passes_over() {
    let dir = tempfile::tempdir().unwrap();
    let folder = folder(dir.path());
    assert_eq!(
        folder.notes(),
        [
            "passed over SOURCES.md: not a name of the TLC's",
            "passed over green_tripdata_2024-01.csv: green_tripdata_2024-01.parquet has the same month",
            "taxi_zone_lookup.csv is not there: the built-in lookup is used",
        ]
    );
    let names: Vec<String> =
        folder.trips().map(|(file, _): (TripFile, _)| file.to_string()).collect();
    assert_eq!(names, ["green_tripdata_2020-04.csv.gz", "green_tripdata_2024-01.parquet"]);
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(Folder::scan(empty.path(), empty.path()), Err(FolderError::Empty { .. })));
}

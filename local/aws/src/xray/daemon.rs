//! The daemon's port: datagrams of a header line and a segment document.
//! <https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon>

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use lake::Database;
use serde_json::Value;
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// The largest datagram; a segment document has at most 64 KB.
const LARGEST: usize = 64 * 1024;

/// Listens on a free port, for as long as the database is open and the set is held.
pub fn listen(database: &Arc<Database>) -> io::Result<(SocketAddr, JoinSet<()>)> {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0")?;
    socket.set_nonblocking(true)?;
    let address = socket.local_addr()?;
    let mut listener = JoinSet::new();
    listener.spawn(receive(UdpSocket::from_std(socket)?, Arc::downgrade(database)));
    Ok((address, listener))
}

async fn receive(socket: UdpSocket, database: Weak<Database>) {
    let mut datagram = vec![0; LARGEST];
    while let Ok(size) = socket.recv(&mut datagram).await {
        let Some(database) = database.upgrade() else { return };
        let kept = match document(&datagram[..size]) {
            Some(document) => super::put(&database, &document),
            None => Err(super::invalid("a datagram is no segment")),
        };
        if let Err(error) = kept {
            tracing::debug!(%error, "a datagram was passed over");
        }
    }
}

fn document(datagram: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(datagram).ok()?;
    let (header, document) = text.split_once('\n')?;
    let header: Value = serde_json::from_str(header).ok()?;
    let known = header["format"] == "json" && header["version"] == 1;
    known.then(|| serde_json::from_str(document).ok()).flatten()
}

//! A function's process: started with Lambda's environment, watched for its memory, killed when nobody holds it.

use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::Command;
use tokio::sync::{mpsc, watch};

use super::reaper::Reaper;

/// How often the resident memory of a working process is looked at. A limit can be overrun for so long.
const MEMORY_INTERVAL: Duration = Duration::from_millis(25);

/// The longest line kept of a function's output, in bytes: CloudWatch's largest event.
const LONGEST_LINE: usize = 256 * 1024;

/// A running function process. Dropping it kills it.
pub struct Process {
    pid: u32,
    exit: watch::Receiver<Option<ExitStatus>>,
    kill: mpsc::Sender<()>,
    peak: Arc<AtomicU64>,
}

/// One line of a function's stdout or stderr.
pub type Line = (jiff::Timestamp, String);

impl Process {
    /// Starts `binary` with nothing but `environment` around it; its output goes line by line to `lines`.
    pub fn start(
        binary: &Path,
        environment: Vec<(String, String)>,
        lines: &mpsc::UnboundedSender<Line>,
        reaper: Arc<Reaper>,
    ) -> std::io::Result<Self> {
        let mut child = Command::new(binary)
            .env_clear()
            .envs(environment)
            .current_dir(binary.parent().unwrap_or(Path::new("/")))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().unwrap_or_default();
        if let Err(error) = reaper.watch(pid) {
            tracing::warn!(%error, "functions may outlive this process if it is killed");
        }
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(read_lines(stdout, lines.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(read_lines(stderr, lines.clone()));
        }
        let (kill, mut killed) = mpsc::channel(1);
        let (exited, exit) = watch::channel(None);
        tokio::spawn(async move {
            let status = tokio::select! {
                status = child.wait() => status,
                // Also when the Process is dropped.
                _ = killed.recv() => {
                    let _ = child.start_kill();
                    child.wait().await
                }
            };
            reaper.forget(pid);
            exited.send_replace(Some(status.unwrap_or_default()));
        });
        Ok(Process { pid, exit, kill, peak: Arc::default() })
    }

    /// Whether the process can take an event. One that was killed a moment ago holds no memory any more, though its
    /// end has not been told yet.
    pub fn is_running(&self) -> bool {
        let has_ended = cfg!(target_os = "linux") && memory(self.pid).is_none();
        self.exit.borrow().is_none() && !has_ended
    }

    /// Returns how the process ended, when it has.
    pub async fn exited(&self) -> ExitStatus {
        let mut exit = self.exit.clone();
        match exit.wait_for(Option::is_some).await {
            Ok(status) => status.unwrap_or_default(),
            // The watcher ends only after it has sent; a runtime that shuts down may drop it.
            Err(_) => ExitStatus::default(),
        }
    }

    pub async fn kill(&self) {
        let _ = self.kill.try_send(());
        self.exited().await;
    }

    /// The most memory the process has held, in bytes; 0 where `/proc` does not tell.
    pub fn peak_memory(&self) -> u64 {
        if let Some(status) = memory(self.pid) {
            self.peak.fetch_max(status.peak, Ordering::Relaxed);
        }
        self.peak.load(Ordering::Relaxed)
    }

    /// Returns when the process holds more than `limit` bytes. Watches for as long as it is polled.
    pub async fn exceeds(&self, limit: u64) {
        loop {
            if let Some(status) = memory(self.pid) {
                self.peak.fetch_max(status.peak, Ordering::Relaxed);
                if status.resident > limit {
                    return;
                }
            }
            tokio::time::sleep(MEMORY_INTERVAL).await;
        }
    }
}

struct Memory {
    resident: u64,
    peak: u64,
}

/// `VmRSS` and `VmHWM` of Linux's `/proc/<pid>/status`. Elsewhere limits are not enforced.
fn memory(pid: u32) -> Option<Memory> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let bytes = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
        Some(kib * 1024)
    };
    Some(Memory { resident: bytes("VmRSS:")?, peak: bytes("VmHWM:")? })
}

async fn read_lines(output: impl AsyncRead + Unpin, lines: mpsc::UnboundedSender<Line>) {
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    while let Ok(read) = reader.read_until(b'\n', &mut line).await {
        if read == 0 {
            break;
        }
        line.truncate(LONGEST_LINE);
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        line.clear();
        if lines.send((lake::clock::now(), text)).is_err() {
            break;
        }
    }
}

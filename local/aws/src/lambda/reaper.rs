//! No orphans: functions die with this process, even when it is killed by `kill -9`.
//!
//! A child that must outlive a killed parent for one moment cannot be a thread, and `PR_SET_PDEATHSIG` needs unsafe
//! code. So one shell per Lambda host reads the ids of running functions from a pipe; when the pipe ends, because
//! this process did, it kills those still listed. (An idle function also ends by itself: its `GET /next` fails.)

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, PoisonError};

const SCRIPT: &str = r#"
pids=" "
while read -r change pid; do
  case "$change" in
    +) pids="$pids$pid " ;;
    -) case "$pids" in *" $pid "*) pids="${pids%% "$pid" *} ${pids#* "$pid" }" ;; esac ;;
  esac
done
for pid in $pids; do kill -9 "$pid"; done 2>/dev/null
"#;

/// The list the shell keeps. Started with the first function.
#[derive(Default)]
pub struct Reaper {
    pipe: Mutex<Option<ChildStdin>>,
}

impl Reaper {
    pub fn watch(&self, pid: u32) -> std::io::Result<()> {
        self.write('+', pid)
    }

    pub fn forget(&self, pid: u32) {
        // A shell that has gone has killed its functions, so there is nothing to forget.
        let _ = self.write('-', pid);
    }

    fn write(&self, change: char, pid: u32) -> std::io::Result<()> {
        let mut pipe = self.pipe.lock().unwrap_or_else(PoisonError::into_inner);
        if pipe.is_none() {
            *pipe = Some(start()?);
        }
        match pipe.as_mut() {
            Some(pipe) => writeln!(pipe, "{change} {pid}"),
            None => Ok(()),
        }
    }
}

/// In a process group of its own, so that Ctrl-C in a terminal does not take it before its turn.
fn start() -> std::io::Result<ChildStdin> {
    let mut shell = Command::new("/bin/sh")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    let pipe = shell.stdin.take();
    // Collected when it ends, which is when this process drops the pipe.
    std::thread::spawn(move || shell.wait());
    pipe.ok_or_else(|| std::io::Error::other("the shell has no stdin"))
}

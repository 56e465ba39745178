//! The process that tries inputs, and may die of one.

use std::io::{self, Write};
use std::panic;
use std::thread;

use super::mutation;
use super::target::{TARGETS, Target};

/// As much as a thread of an async runtime has, which is where the real readers run.
const STACK_BYTES: usize = 2 << 20;

/// What a process is to do: a target, and inputs from one on.
#[derive(Clone, Debug)]
pub struct Task {
    pub target: String,
    pub seed: u64,
    pub from: u64,
    pub to: u64,
}

impl Task {
    pub fn to_text(&self) -> String {
        let Self { target, seed, from, to } = self;
        format!("task={target}/{seed}/{from}/{to}")
    }

    pub fn from_text(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("task=")?.split('/');
        let target = parts.next()?.to_owned();
        let mut number = || parts.next()?.parse().ok();
        Some(Self { target, seed: number()?, from: number()?, to: number()? })
    }

    pub fn target(&self) -> Option<&'static Target> {
        let known = TARGETS.iter();
        #[cfg(test)]
        let known = known.chain(super::short::BROKEN);
        known.into_iter().find(|target| target.name == self.target)
    }
}

/// Says which input comes next, before it is tried, and what panics: lines that begin with `@`.
pub fn work(task: &Task) -> io::Result<()> {
    let target = task.target().ok_or_else(|| io::Error::other("no such target"))?;
    let seeds = (target.seeds)();
    for index in task.from..task.to {
        say(&format!("@ {index}"))?;
        let input = mutation::input(&seeds, task.seed, index);
        let run = target.run;
        let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || {
            panic::catch_unwind(|| run(&input)).map_err(|reason| {
                let text = reason.downcast_ref::<String>().cloned();
                text.or_else(|| reason.downcast_ref::<&str>().map(|text| (*text).to_owned()))
                    .unwrap_or_default()
            })
        })?;
        if let Ok(Err(reason)) = thread.join() {
            let reason: String =
                reason.chars().take(300).filter(|letter| *letter != '\n').collect();
            say(&format!("@ {index} panics: {reason}"))?;
        }
    }
    say("@ done")
}

fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "\n{line}")?;
    out.flush()
}

//! A run while it goes on, on standard error: a bar a month on a terminal, plain lines otherwise.
use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::executions::{Execution, Status};

/// What is shown of each execution.
pub struct Progress {
    screen: Option<MultiProgress>,
    shown: BTreeMap<String, Line>,
}

struct Line {
    bar: Option<ProgressBar>,
    last: String,
}

impl Progress {
    pub fn new() -> Self {
        let screen = std::io::stderr().is_terminal().then(MultiProgress::new);
        Self { screen, shown: BTreeMap::new() }
    }

    /// A line of its own, above the bars.
    pub fn say(&self, text: &str) {
        match &self.screen {
            Some(screen) => drop(screen.println(text)),
            None => eprintln!("{text}"),
        }
    }

    /// The present state of an execution; `title` names it to a person.
    pub fn show(&mut self, arn: &str, title: &str, execution: &Execution, state: Option<&str>) {
        let text = match execution.status {
            Status::Running => state.unwrap_or("…").to_owned(),
            Status::Succeeded => format!("done in {:.1} s", execution.seconds()),
            status => format!(
                "{}: {}",
                status.name().to_lowercase(),
                execution.error.as_deref().unwrap_or_default()
            ),
        };
        let screen = self.screen.as_ref();
        let line = self.shown.entry(arn.to_owned()).or_insert_with(|| Line {
            bar: screen.map(|screen| {
                let style = ProgressStyle::with_template("{spinner} {prefix:18} {msg}")
                    .expect("the template is constant");
                let bar = screen.add(ProgressBar::new_spinner().with_style(style));
                bar.set_prefix(title.to_owned());
                bar.enable_steady_tick(Duration::from_millis(120));
                bar
            }),
            last: String::new(),
        });
        if line.last == text {
            return;
        }
        match &line.bar {
            Some(bar) if execution.status.is_final() => bar.finish_with_message(text.clone()),
            Some(bar) => bar.set_message(text.clone()),
            None => eprintln!("{title:<18} {text}"),
        }
        line.last = text;
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

//! Parallel: several machines on the same input, all of which must succeed.

use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt as _};
use serde_json::Value;

use super::iteration::collect;
use crate::definition::{Fields, Machine};
use crate::event::EventDetail;
use crate::execution::Start;
use crate::failure::Trouble;
use crate::history::Track;
use crate::past::Inner;
use crate::test_state::Trial;
use crate::variables::Variables;
use crate::visit::{Exit, Visit};

#[derive(Debug)]
pub(crate) struct Parallel {
    pub branches: Vec<Machine>,
}

impl Parallel {
    pub fn parse(fields: &Fields) -> Option<Self> {
        fields.require(&["Branches"]);
        let branches = fields.list("Branches")?;
        if branches.is_empty() {
            fields.wrong("Branches", "Value cannot be empty");
        }
        let machines: Vec<_> = branches
            .iter()
            .enumerate()
            .map(|(at, branch)| {
                let branch = fields.object_of(&format!("Branches/{at}"), branch)?;
                let machine = Machine::parse(&branch, fields.scheme.inner());
                branch.refuse_unknown(&[]);
                machine
            })
            .collect();
        Some(Self { branches: machines.into_iter().collect::<Option<_>>()? })
    }

    pub async fn run(&self, visit: &Visit<'_>, variables: &Variables) -> Result<Exit, Trouble> {
        let input = visit.effective_input(variables)?;
        let input = visit.parameters(&input, variables)?;
        if let Some(mocked) = visit.run.trial.and_then(Trial::mocked) {
            return visit.exit(mocked?, variables);
        }
        let history = &visit.run.history;
        if !matches!(visit.past, Inner::Lines(_)) {
            history.record(visit.track, EventDetail::ParallelStateStarted)?;
        }
        let results = self.run_branches(visit, &input, variables).await?;
        // The exit follows the last branch's last event, not this one.
        history.note(visit.track, EventDetail::ParallelStateSucceeded)?;
        visit.track.close();
        visit.exit(Arc::new(collect(results)), variables)
    }

    async fn run_branches(
        &self,
        visit: &Visit<'_>,
        input: &Arc<Value>,
        variables: &Variables,
    ) -> Result<Vec<Option<Arc<Value>>>, Trouble> {
        let lines = match visit.past {
            Inner::Lines(lines) => Some(lines),
            Inner::Nothing | Inner::MapRun(_) => None,
        };
        let started = lines.map_or_else(|| visit.track.previous(), |lines| lines.started);
        let tracks: Vec<_> =
            self.branches.iter().map(|_| Arc::new(Track::after(started))).collect();
        visit.track.open_branches(tracks.clone());
        let mut running: FuturesUnordered<_> = self
            .branches
            .iter()
            .zip(&tracks)
            .enumerate()
            .map(|(at, (branch, track))| async move {
                let start = Start {
                    input: Arc::clone(input),
                    variables: variables.clone(),
                    item: visit.context.item.clone(),
                    past: lines.and_then(|lines| lines.branch(branch.first_state())),
                };
                (at, visit.run.inner_machine(branch, start, track).await)
            })
            .collect();
        let mut results = vec![None; self.branches.len()];
        while let Some((at, ended)) = running.next().await {
            visit.track.follow(tracks[at].previous());
            match ended {
                Ok(result) => results[at] = Some(result),
                Err(failure) => {
                    drop(running);
                    visit.track.abort_inner(&visit.run.history)?;
                    return Err(failure.into());
                }
            }
        }
        Ok(results)
    }
}

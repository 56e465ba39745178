//! The protocol of a month as a model, checked over every interleaving: stage, audit, ledger, publish.
//!
//! Three executions load two contents of one month; the newer content is triggered twice. Each may crash at any
//! step and be tried again, lose the answer to a write, or live on as a zombie beside its next attempt. What is
//! checked here is the protocol; that the code is the protocol is what the simulation checks.
//!
//! All states fit into a set, so that a queue explores them; a model checker would bring a web server and its kin.

use std::collections::{HashSet, VecDeque};

/// A content of the month by its date at the source: the greater, the newer.
type Content = u8;

/// One try of an execution to load its content.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Attempt {
    content: Content,
    /// Tells it from all others, as its prefix does.
    run: u8,
    at: At,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum At {
    /// Writes its rows under its own prefix, where no view looks.
    Stage,
    ReadHead,
    /// Writes entry `seq`, if there is none.
    Append {
        seq: u8,
    },
    ReadPublished,
    /// Updates the view of this version to ledger entry `seq`.
    Publish {
        seq: u8,
        version: u8,
    },
    /// Has the ledger moved on?
    ReadAgain {
        seq: u8,
    },
    Done,
    Dead,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Cloud {
    attempts: Vec<Attempt>,
    /// A bit a run.
    staged: u32,
    /// Content and run of each entry, the first has number 1.
    ledger: Vec<(Content, u8)>,
    view: View,
    faults_left: u8,
    runs: u8,
    /// The view has once shown an older entry than before.
    went_back: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct View {
    version: u8,
    /// 0 before the first publish.
    seq: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Step(usize),
    /// The step is carried out, and the attempt does not hear of it: it is tried anew.
    LoseAnswer(usize),
    Crash(usize),
    /// The state machine gives an attempt up that goes on all the same.
    Abandon(usize),
}

/// The protocol, or what it would be without one of its rules.
#[derive(Clone, Copy, Debug)]
struct Protocol {
    faults: u8,
    /// The view is updated only at the version that was read, and never to a lower entry.
    compares_at_publish: bool,
    /// A content that is live already is not committed again.
    knows_run_keys: bool,
}

const WHOLE: Protocol = Protocol { faults: 2, compares_at_publish: true, knows_run_keys: true };

impl Protocol {
    fn beginning(self) -> Cloud {
        let contents = [1, 2, 2];
        let attempt = |(run, content)| Attempt { content, run, at: At::Stage };
        Cloud {
            attempts: (0..).zip(contents).map(attempt).collect(),
            runs: 3,
            faults_left: self.faults,
            ..Cloud::default()
        }
    }

    /// Explores every state that can be reached; answers their number, or the first promise that one breaks.
    fn explore(self) -> Result<usize, &'static str> {
        let beginning = self.beginning();
        let mut open = VecDeque::from([beginning.clone()]);
        let mut known = HashSet::from([beginning]);
        while let Some(cloud) = open.pop_front() {
            if let Some((promise, _)) = PROMISES.iter().find(|(_, holds)| !holds(&cloud)) {
                return Err(promise);
            }
            for action in actions(&cloud) {
                let next = self.after(&cloud, action);
                if known.insert(next.clone()) {
                    open.push_back(next);
                }
            }
        }
        Ok(known.len())
    }

    fn after(self, last: &Cloud, action: Action) -> Cloud {
        let mut cloud = last.clone();
        match action {
            Action::Step(index) => self.step(&mut cloud, index),
            Action::LoseAnswer(index) => {
                cloud.faults_left -= 1;
                self.step(&mut cloud, index);
                // An append is read back; a publish begins anew. Both are a new look at the ledger.
                cloud.attempts[index].at = At::ReadHead;
            }
            Action::Crash(index) => {
                cloud.faults_left -= 1;
                cloud.attempts[index].at = At::Dead;
                cloud.try_again(index);
            }
            Action::Abandon(index) => {
                cloud.faults_left -= 1;
                cloud.try_again(index);
            }
        }
        cloud
    }
}

fn actions(cloud: &Cloud) -> Vec<Action> {
    let mut actions = Vec::new();
    for (index, attempt) in cloud.attempts.iter().enumerate() {
        if matches!(attempt.at, At::Done | At::Dead) {
            continue;
        }
        actions.push(Action::Step(index));
        if cloud.faults_left > 0 {
            actions.push(Action::Crash(index));
            actions.push(Action::Abandon(index));
            if matches!(attempt.at, At::Append { .. } | At::Publish { .. }) {
                actions.push(Action::LoseAnswer(index));
            }
        }
    }
    actions
}

/// What must hold in every state.
type Promise = (&'static str, fn(&Cloud) -> bool);

const PROMISES: [Promise; 5] = [
    (NEVER_BACK, |cloud| !cloud.went_back),
    ("a reader sees only whole files", |cloud| {
        let shown = cloud.ledger.get(usize::from(cloud.view.seq).wrapping_sub(1));
        shown.is_none_or(|(_, run)| cloud.staged & (1 << run) != 0)
    }),
    (ONCE, |cloud| cloud.ledger.windows(2).all(|pair| pair[0].0 != pair[1].0)),
    ("older content never follows newer", |cloud| {
        cloud.ledger.windows(2).all(|pair| pair[0].0 <= pair[1].0)
    }),
    ("in the end the newest is visible", |cloud| {
        let ended = cloud.attempts.iter().all(|attempt| matches!(attempt.at, At::Done | At::Dead));
        let newest = cloud.ledger.last().is_some_and(|(content, _)| *content == 2);
        !ended || (usize::from(cloud.view.seq) == cloud.ledger.len() && newest)
    }),
];

const NEVER_BACK: &str = "a reader never goes back";
const ONCE: &str = "no content is committed twice in a row";

impl Cloud {
    /// The state machine tries the month anew, under a prefix of its own.
    fn try_again(&mut self, index: usize) {
        let (content, run) = (self.attempts[index].content, self.runs);
        self.runs += 1;
        self.attempts.push(Attempt { content, run, at: At::Stage });
    }

    fn head(&self) -> u8 {
        u8::try_from(self.ledger.len()).expect("a few entries")
    }
}

impl Protocol {
    fn step(self, cloud: &mut Cloud, index: usize) {
        let Attempt { content, run, at } = cloud.attempts[index].clone();
        cloud.attempts[index].at = match at {
            At::Stage => {
                cloud.staged |= 1 << run;
                At::ReadHead
            }
            At::ReadHead => self.decide(cloud, content, run),
            At::Append { seq } => {
                if seq == cloud.head() + 1 {
                    cloud.ledger.push((content, run));
                    At::ReadPublished
                } else {
                    At::ReadHead
                }
            }
            At::ReadPublished => match (cloud.head(), cloud.view) {
                (seq, View { seq: shown, .. }) if self.compares_at_publish && shown >= seq => {
                    At::ReadAgain { seq }
                }
                (seq, View { version, .. }) => At::Publish { seq, version },
            },
            At::Publish { seq, version } => {
                if self.compares_at_publish && version != cloud.view.version {
                    At::ReadPublished
                } else {
                    cloud.went_back |= seq < cloud.view.seq;
                    cloud.view = View { version: cloud.view.version + 1, seq };
                    At::ReadAgain { seq }
                }
            }
            At::ReadAgain { seq } if seq < cloud.head() => At::ReadPublished,
            At::ReadAgain { .. } | At::Done => At::Done,
            At::Dead => At::Dead,
        };
    }

    fn decide(self, cloud: &Cloud, content: Content, run: u8) -> At {
        let append = At::Append { seq: cloud.head() + 1 };
        match cloud.ledger.last() {
            None => append,
            Some((_, live)) if *live == run => At::ReadPublished,
            Some((live, _)) if *live == content && self.knows_run_keys => At::ReadPublished,
            Some((live, _)) if *live > content => At::ReadPublished,
            Some(_) => append,
        }
    }
}

#[test]
fn no_interleaving_breaks_the_protocol() {
    let states = WHOLE.explore();
    println!("{states:?} states of the protocol");
    assert!(states.is_ok_and(|states| states > 100_000), "{states:?}");
}

#[test]
fn without_the_comparison_at_publish_older_data_wins() {
    let blind = Protocol { compares_at_publish: false, faults: 1, ..WHOLE };
    assert_eq!(blind.explore(), Err(NEVER_BACK));
}

#[test]
fn without_run_keys_a_content_is_committed_twice() {
    let forgetful = Protocol { knows_run_keys: false, faults: 1, ..WHOLE };
    assert_eq!(forgetful.explore(), Err(ONCE));
}

//! What can go wrong with a call.

use std::fmt;
use std::time::Duration;

/// Who asks, and so which faults there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A function, by its SDK client.
    Function,
    /// A Task of the state machine.
    Task,
    /// `extract`, of the TLC's site.
    Download,
}

/// One call on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSite {
    pub caller: Caller,
    /// Function or state machine.
    pub from: String,
    pub service: String,
    /// Operation, and what it is about.
    pub action: String,
}

impl fmt::Display for CallSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}:{}", self.from, self.service, self.action)
    }
}

/// How a call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Not carried out; the service answers that it is busy or broken.
    Refused,
    /// The same for every call to this service within the next minutes.
    Outage,
    /// Carried out; the answer does not arrive.
    AnswerLost,
    /// Carried out after a pause in which everything else goes on.
    Delayed(Duration),
    /// The function dies before the call.
    CrashBefore,
    /// The function dies after the call was carried out.
    CrashAfter,
    /// The caller gives up at once while the call goes on: its next attempt meets the old one.
    Zombie,
    /// A query leaves half a file behind and fails.
    Litter,
    /// All processes die before the call, and are started again.
    KillBefore,
    /// All processes die after the call was carried out, and are started again.
    KillAfter,
}

/// How long an outage lasts: longer than the SDK's own tries, shorter than the state machine's.
pub const OUTAGE: Duration = Duration::from_secs(45);

/// A pause that outlasts the SDK's patience with one operation (2 minutes).
const LONG: Duration = Duration::from_secs(150);
/// A pause that outlasts the longest function (15 minutes).
const LONGEST: Duration = Duration::from_secs(1_000);

impl Fault {
    /// Every fault that this call can meet.
    pub fn of(site: &CallSite) -> Vec<Fault> {
        use Fault::{
            AnswerLost, CrashAfter, CrashBefore, Delayed, KillAfter, KillBefore, Litter, Outage,
            Refused, Zombie,
        };
        let mut faults = match site.caller {
            Caller::Function => vec![
                Refused,
                Outage,
                AnswerLost,
                Delayed(LONG),
                Delayed(LONGEST),
                CrashBefore,
                CrashAfter,
                KillBefore,
                KillAfter,
            ],
            Caller::Task => vec![Refused, AnswerLost, Delayed(LONG), KillBefore, KillAfter],
            Caller::Download => {
                vec![Refused, Outage, AnswerLost, Delayed(LONG), CrashBefore, KillBefore]
            }
        };
        if site.caller == Caller::Task && site.service == "lambda" {
            faults.push(Zombie);
        }
        if site.caller == Caller::Task && site.action.starts_with("StartQueryExecution CTAS") {
            faults.push(Litter);
        }
        faults
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Delayed(pause) => write!(f, "delayed {} s", pause.as_secs()),
            Fault::Refused => f.write_str("refused"),
            Fault::Outage => f.write_str("outage"),
            Fault::AnswerLost => f.write_str("answer lost"),
            Fault::CrashBefore => f.write_str("function crashes before"),
            Fault::CrashAfter => f.write_str("function crashes after"),
            Fault::Zombie => f.write_str("caller gives up, call goes on"),
            Fault::Litter => f.write_str("leaves litter and fails"),
            Fault::KillBefore => f.write_str("all killed before"),
            Fault::KillAfter => f.write_str("all killed after"),
        }
    }
}

//! What lies between the state machine's Tasks and the services: the gate again.

use std::sync::Arc;

use async_trait::async_trait;
use aws::lake::Store;
use aws::lake::store::PutOptions;
use aws::stand_in::{Call, Network, Passage};
use aws::wire::ServiceError;

use super::fault::{CallSite, Caller, Fault};
use super::gate::{Gate, Verdict};

/// The network of a simulation.
pub struct Gated {
    pub gate: Arc<Gate>,
    pub store: Store,
}

#[async_trait]
impl Network for Gated {
    async fn pass(&self, call: &Call<'_>) -> Passage {
        let site = CallSite {
            caller: Caller::Task,
            from: "states".to_owned(),
            service: call.service.to_owned(),
            action: action(call),
        };
        let Verdict::Fail(fault) = self.gate.call(&site) else {
            return Passage::Arrives;
        };
        match fault {
            Fault::Refused | Fault::Outage => Passage::Refused(busy(call.service)),
            Fault::AnswerLost => Passage::AnswerLost,
            Fault::Zombie => Passage::Abandoned,
            Fault::Delayed(pause) => {
                tokio::time::sleep(pause).await;
                Passage::Arrives
            }
            Fault::Litter => {
                self.litter(call);
                Passage::Arrives
            }
            Fault::KillBefore => self.gate.kill().await,
            Fault::KillAfter | Fault::CrashBefore | Fault::CrashAfter => Passage::Last,
        }
    }

    async fn end(&self) {
        self.gate.kill::<()>().await;
    }
}

impl Gated {
    /// Half a file where the query writes, as a query that failed on its way leaves it: the query that comes now
    /// finds its place taken, and fails as Athena fails it.
    fn litter(&self, call: &Call<'_>) {
        let text = call.input["QueryString"].as_str().unwrap_or_default();
        let place = text.split("external_location").nth(1).and_then(|rest| rest.split('\'').nth(1));
        let Some((bucket, folder)) =
            place.and_then(|place| place.strip_prefix("s3://")?.split_once('/'))
        else {
            panic!("a conversion without external_location: {text}");
        };
        let key = format!("{folder}outcome=loaded/half");
        let put = self.store.put(bucket, &key, b"PAR1half a file", PutOptions::default());
        put.expect("the lake's bucket is there");
    }
}

/// The operation, and of which kind a query or which function it is.
fn action(call: &Call<'_>) -> String {
    let text = |member: &str| call.input[member].as_str().unwrap_or_default();
    match call.action {
        "StartQueryExecution" => {
            let query = text("QueryString").trim_start();
            let words: Vec<&str> = query.split_whitespace().take(3).collect();
            let kind = match words.as_slice() {
                ["CREATE", "TABLE", ..] => "CTAS".to_owned(),
                words => words.join(" "),
            };
            format!("StartQueryExecution {kind}")
        }
        "Invoke" => {
            let name = text("FunctionName").rsplit(':').next().unwrap_or_default();
            let action = call.input["Payload"]["action"].as_str().unwrap_or_default();
            format!("Invoke {name} {action}").trim_end().to_owned()
        }
        other => other.to_owned(),
    }
}

/// What the service says when it is asked too much.
fn busy(service: &str) -> ServiceError {
    match service {
        "lambda" => ServiceError::new("TooManyRequestsException", "Rate Exceeded.").status(429),
        "athena" => ServiceError::new("TooManyRequestsException", "Rate exceeded").status(400),
        _ => ServiceError::new("ThrottlingException", "Rate exceeded").status(400),
    }
}

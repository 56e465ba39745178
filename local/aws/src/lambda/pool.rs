//! The instances of all functions: warm ones are used again, new ones start as needed, within bounds.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::sync::Semaphore;

use super::credential::{self, Credential};
use super::function::Function;
use super::instance::{Ending, Event, Instance, error_document, timed_out};
use super::invocation::Answer;
use super::process::Line;
use super::reaper::Reaper;
use crate::Settings;
use crate::iam::Need;
use crate::logs::{self, Logs};
use crate::metering::{Invoked, Meters};
use crate::services::Link;
use crate::stand_in::{FunctionEvent, Functions};
use crate::wire::ServiceError;
use crate::xray::XRay;

/// Processes that work at once on this machine, all functions together; further invocations wait.
/// (Lambda's own bound is the account's concurrency, 1,000 by default.)
const MOST_INSTANCES: usize = 64;

/// How long an instance stays warm without work.
const WARM: Duration = Duration::from_mins(5);

/// Bytes of log that `LogType: Tail` answers.
const TAIL: usize = 4096;

pub struct Pool {
    settings: Arc<Settings>,
    logs: Arc<Logs>,
    meters: Arc<Meters>,
    xray: Arc<XRay>,
    link: Link,
    reaper: Arc<Reaper>,
    /// Instead of processes.
    stand_in: Option<Arc<dyn Functions>>,
    slots: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    idle: HashMap<String, Vec<Instance>>,
    busy: HashMap<String, usize>,
}

impl Pool {
    pub fn new(
        settings: Arc<Settings>,
        logs: Arc<Logs>,
        meters: Arc<Meters>,
        xray: Arc<XRay>,
        link: Link,
        stand_in: Option<Arc<dyn Functions>>,
    ) -> Self {
        Pool {
            stand_in,
            settings,
            logs,
            meters,
            xray,
            link,
            reaper: Arc::default(),
            slots: Semaphore::new(MOST_INSTANCES),
            state: Mutex::default(),
        }
    }

    /// Invocations under way, of all functions.
    pub fn at_work(&self) -> usize {
        self.state().busy.values().sum()
    }

    /// Ends the warm instances of a function that is no more.
    pub fn forget(&self, function: &str) {
        self.state().idle.remove(function);
    }

    /// Runs one event to its end.
    pub async fn invoke(&self, event: &Event<'_>) -> Result<Answer, ServiceError> {
        let _busy = Busy::enter(self, event.function)?;
        let _slot = self.slots.acquire().await.map_err(ServiceError::internal)?;
        if let Some(functions) = &self.stand_in {
            return Ok(self.invoke_within(functions.as_ref(), event).await);
        }
        loop {
            let mut instance = match self.warm(event.function) {
                Some(instance) => instance,
                None => match self.start(event.function).await {
                    Ok(instance) => instance,
                    Err(error) => return Ok(invalid_entrypoint(event, &error)),
                },
            };
            let init = match instance.initialise(event).await {
                Ok(init) => init,
                Err(ending) => {
                    return Ok(self.conclude(instance, event, None, Duration::ZERO, ending));
                }
            };
            let begun = Instant::now();
            match instance.run(event).await {
                Ending::NotTaken => {}
                ending => {
                    return Ok(self.conclude(instance, event, init, begun.elapsed(), ending));
                }
            }
        }
    }

    /// Runs one event within this process.
    async fn invoke_within(&self, functions: &dyn Functions, event: &Event<'_>) -> Answer {
        let begun = tokio::time::Instant::now();
        let handled = functions.handle(FunctionEvent {
            function: event.function.clone(),
            request_id: event.request_id.to_owned(),
            payload: event.payload.clone(),
            trace_id: event.trace.to_string(),
        });
        let limit = Duration::from_secs(event.function.timeout);
        let ending = tokio::time::timeout(limit, handled).await;
        let (payload, function_error) = ending.unwrap_or_else(|_| timed_out(event)).answer();
        self.count(
            event,
            Invoked {
                memory: event.function.memory_size,
                failed: function_error.is_some(),
                init: None,
                duration: begun.elapsed(),
                peak: 0,
                log_bytes: 0,
            },
        );
        let request_id = event.request_id.to_owned();
        Answer { request_id, payload, function_error, tail: String::new() }
    }

    fn count(&self, event: &Event<'_>, invoked: Invoked) {
        let function = &event.function.name;
        if let Err(error) = self.meters.invoked(function, &event.trace.root, invoked) {
            tracing::warn!(%error, function, "an invocation was not counted");
        }
        self.record_segment(event, &invoked);
    }

    async fn start(&self, function: &Function) -> std::io::Result<Instance> {
        let credential = Credential::of(function, &self.link);
        let daemon = self.xray.daemon();
        Instance::start(function, &self.settings, daemon, self.reaper.clone(), credential).await
    }

    fn warm(&self, function: &Function) -> Option<Instance> {
        let mut state = self.state();
        for instances in state.idle.values_mut() {
            instances.retain(|instance| instance.idle_since.elapsed() < WARM);
        }
        let instances = state.idle.get_mut(&function.name)?;
        instances.retain(|instance| instance.is_usable(function));
        instances.pop()
    }

    /// Writes the log, counts, keeps a healthy instance warm, and gives the answer its form.
    fn conclude(
        &self,
        mut instance: Instance,
        event: &Event<'_>,
        init: Option<Duration>,
        duration: Duration,
        ending: Ending,
    ) -> Answer {
        let peak = instance.peak_memory();
        let broken = matches!(ending, Ending::Broken { .. });
        let (payload, function_error) = ending.answer();
        let printed = instance.take_lines();
        let failure = broken.then(|| String::from_utf8_lossy(&payload).into_owned());
        let lines = report(event, printed, failure, peak, duration, init);
        let tail = tail(&lines);
        let invoked = Invoked {
            memory: event.function.memory_size,
            failed: function_error.is_some(),
            init,
            duration,
            peak,
            log_bytes: lines.iter().map(|(_, line)| logs::billed_bytes(line)).sum(),
        };
        self.count(event, invoked);
        if !self.is_allowed_to_tell(event.function, &instance.log_stream, init.is_some()) {
            // Lambda goes on without the log.
        } else if let Err(error) =
            self.logs.append(&event.function.log_group, &instance.log_stream, lines)
        {
            tracing::warn!(%error, function = event.function.name, "the log was not written");
        }
        let mut state = self.state();
        if !broken && instance.is_usable(event.function) {
            instance.idle_since = Instant::now();
            state.idle.entry(event.function.name.clone()).or_default().push(instance);
        }
        Answer { request_id: event.request_id.to_owned(), payload, function_error, tail }
    }

    /// Logs and traces are the function's own to be allowed. Whether its log may be written.
    fn is_allowed_to_tell(&self, function: &Function, stream: &str, is_new: bool) -> bool {
        let Some(services) = self.link.services() else { return true };
        let caller = credential::caller(function);
        let group = &function.log_group;
        let arn = self.settings.arn("logs", &format!("log-group:{group}:log-stream:{stream}"));
        let create = is_new.then(|| Need::new("logs:CreateLogStream", arn.as_str()));
        let write = Need::new("logs:PutLogEvents", arn.as_str());
        let traces = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"];
        for action in traces.into_iter().filter(|_| function.traced) {
            services.authorise_quietly(&caller, &Need::new(action, "*"));
        }
        create.into_iter().chain([write]).all(|need| services.authorise_quietly(&caller, &need))
    }

    /// The function's own segment, which what it sends itself belongs to.
    fn record_segment(&self, event: &Event<'_>, invoked: &Invoked) {
        if !event.trace.sampled {
            return;
        }
        let end = lake::clock::now().as_duration().as_secs_f64();
        let took = invoked.duration + invoked.init.unwrap_or_default();
        let mut document = json!({
            "trace_id": event.trace.root,
            "id": event.trace.parent,
            "parent_id": event.caller,
            "name": event.function.name,
            "origin": "AWS::Lambda::Function",
            "start_time": end - took.as_secs_f64(),
            "end_time": end,
            "aws": {"request_id": event.request_id, "function_arn": event.function.arn},
            "annotations": {"cold_start": invoked.init.is_some()},
        });
        if invoked.failed {
            document["fault"] = true.into();
        }
        self.xray.record(&document);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One running invocation, counted against the function's reserved concurrency.
struct Busy<'a> {
    pool: &'a Pool,
    function: String,
}

impl<'a> Busy<'a> {
    fn enter(pool: &'a Pool, function: &Function) -> Result<Self, ServiceError> {
        let mut state = pool.state();
        let busy = state.busy.entry(function.name.clone()).or_default();
        if function.reserved_concurrency.is_some_and(|most| *busy >= most) {
            return Err(ServiceError::new("TooManyRequestsException", "Rate Exceeded.")
                .status(429)
                .with("Reason", "ReservedFunctionConcurrentInvocationLimitExceeded")
                .with("Type", "User"));
        }
        *busy += 1;
        Ok(Busy { pool, function: function.name.clone() })
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        if let Some(busy) = self.pool.state().busy.get_mut(&self.function) {
            *busy -= 1;
        }
    }
}

fn invalid_entrypoint(event: &Event<'_>, error: &std::io::Error) -> Answer {
    let message = format!(
        "RequestId: {} Error: fork/exec {}: {error}",
        event.request_id,
        event.function.binary.display()
    );
    Answer {
        request_id: event.request_id.to_owned(),
        payload: error_document("Runtime.InvalidEntrypoint", &message).to_string().into(),
        function_error: Some("Unhandled"),
        tail: String::new(),
    }
}

/// START, what was printed, END and REPORT, as Lambda writes them.
fn report(
    event: &Event<'_>,
    printed: Vec<Line>,
    failure: Option<String>,
    peak: u64,
    duration: Duration,
    init: Option<Duration>,
) -> Vec<Line> {
    let now = lake::clock::now();
    let id = event.request_id;
    let begun = now - jiff::SignedDuration::try_from(duration).unwrap_or_default();
    let mut lines = vec![(begun, format!("START RequestId: {id} Version: $LATEST"))];
    lines.extend(printed);
    lines.extend(failure.map(|document| (now, document)));
    lines.push((now, format!("END RequestId: {id}")));
    let milliseconds = duration.as_secs_f64() * 1000.0;
    let mut text = format!(
        "REPORT RequestId: {id}\tDuration: {milliseconds:.2} ms\tBilled Duration: {:.0} ms\tMemory Size: {} MB\tMax Memory Used: {} MB",
        (milliseconds + init.map_or(0.0, |init| init.as_secs_f64() * 1000.0)).ceil(),
        event.function.memory_size,
        peak.div_ceil(1024 * 1024),
    );
    if let Some(init) = init {
        use std::fmt::Write as _;
        let _ = write!(text, "\tInit Duration: {:.2} ms", init.as_secs_f64() * 1000.0);
    }
    lines.push((now, text));
    lines
}

fn tail(lines: &[Line]) -> String {
    let mut text = String::new();
    for (_, line) in lines {
        text.push_str(line);
        text.push('\n');
    }
    let mut start = text.len().saturating_sub(TAIL);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    text.split_off(start)
}

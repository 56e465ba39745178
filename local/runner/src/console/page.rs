//! The console's markup.
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::Value;

use crate::cost::Transitions;
use crate::run::executions::{Execution, Status};

/// Executions that the overview lists of each machine.
pub const LISTED: usize = 100;

const STYLE: &str = "
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; color: #1c2733; background: #fff }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem } a { color: #0b5cad; text-decoration: none } a:hover { text-decoration: underline }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #e3e8ee; vertical-align: top }
th { font-weight: 600; color: #5b6b7b } td.number { text-align: right; font-variant-numeric: tabular-nums } pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0; font-size: 13px }
.SUCCEEDED { color: #14732f } .FAILED, .TIMED_OUT, .ABORTED { color: #b3261e } .RUNNING { color: #0b5cad } .lane { position: relative; height: 1.1rem; background: #f2f5f8 }
.picture { overflow: auto; max-height: 80vh; margin: .5rem 0 } details > summary { cursor: pointer }
.lane span { position: absolute; top: .15rem; height: .8rem; min-width: 2px; background: #6ea8dc } .quiet { color: #5b6b7b }
@media (prefers-color-scheme: dark) { body { background: #12181f; color: #d9e1e8 } th, .quiet { color: #8fa0b0 } th, td { border-color: #28323d } .lane { background: #1c2530 } a { color: #7db8f0 } .SUCCEEDED { color: #6fcf8a } .FAILED, .TIMED_OUT, .ABORTED { color: #ff8a80 } .RUNNING { color: #7db8f0 } }
";

fn document(title: &str, refresh: bool, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                @if refresh { meta http-equiv="refresh" content="2"; }
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (content) }
        }
    }
}

/// The machines with their newest executions.
pub fn overview(machines: &[(String, Vec<Execution>)]) -> Markup {
    let running = machines
        .iter()
        .flat_map(|(_, executions)| executions)
        .any(|execution| !execution.status.is_final());
    document(
        "State machines",
        running,
        &html! {
            h1 { "State machines" }
            @if machines.is_empty() { p { "There is none yet." } }
            @for (name, executions) in machines {
                h2 { (name) }
                @if executions.is_empty() { p.quiet { "It has not run yet." } } @else { (table(executions.iter().map(|execution| (execution, None)))) }
            }
        },
    )
}

fn table<'e>(executions: impl Iterator<Item = (&'e Execution, Option<&'e str>)>) -> Markup {
    html! {
        table {
            tr { th { "execution" } th { "status" } th { "" } th { "started (UTC)" } th { "seconds" } }
            @for (execution, state) in executions {
                tr {
                    td { a href=(link(&execution.execution_arn)) { (title(execution)) } }
                    td class=(execution.status.name()) { (execution.status.name()) }
                    td { (state.filter(|_| !execution.status.is_final()).or(execution.error.as_deref()).unwrap_or_default()) }
                    td { (clock(execution.start_date)) }
                    td.number { @if execution.status.is_final() { (format!("{:.1}", execution.seconds())) } }
                }
            }
        }
    }
}

/// A map item by what it works on, anything else by its name.
fn title(execution: &Execution) -> String {
    let input = execution.input();
    let text = |member: &str| input["unit"][member].as_str();
    match (text("dataset"), text("month")) {
        (Some(dataset), Some(month)) => format!("{dataset} {month}"),
        _ => execution.name.clone(),
    }
}

/// One execution: its states on a line of time, its children, its path in the machine, its input, output and history.
pub fn execution(
    execution: &Execution,
    history: &[Value],
    children: &[(Execution, Option<String>)],
    picture: &str,
) -> Markup {
    let running = execution.status == Status::Running;
    document(
        &title(execution),
        running,
        &html! {
            p { a href="/" { "state machines" } }
            h1 { (title(execution)) " " span class=(execution.status.name()) { (execution.status.name()) } }
            p.quiet { (execution.execution_arn) " · " (Transitions::of(history).total()) " transitions · started " (clock(execution.start_date)) }
            @if let Some(error) = &execution.error {
                p.FAILED { (error) }
                pre { (pretty(execution.cause.as_deref().unwrap_or_default())) }
            }
            h2 { "States" }
            (lanes(execution, history))
            @if !children.is_empty() {
                h2 { "Map items" }
                (table(children.iter().map(|(child, state)| (child, state.as_deref()))))
            }
            details {
                summary { "Picture" }
                div.picture { (PreEscaped(picture)) }
            }
            h2 { "Input" }
            pre { (pretty(execution.input.as_deref().unwrap_or_default())) }
            @if let Some(output) = &execution.output {
                h2 { "Output" }
                pre { (pretty(output)) }
            }
            h2 { "History" }
            table {
                tr { th { "id" } th { "after" } th { "time (UTC)" } th { "event" } }
                @for event in history {
                    tr {
                        td.number { (event["id"]) }
                        td.number { (event["previousEventId"]) }
                        td { (clock(event["timestamp"].as_f64().unwrap_or_default())) }
                        td { (details(event)) }
                    }
                }
            }
        },
    )
}

fn details(event: &Value) -> Markup {
    let name = event["type"].as_str().unwrap_or_default();
    let own = event
        .as_object()
        .into_iter()
        .flatten()
        .find(|(key, _)| key.ends_with("EventDetails"))
        .map(|(_, details)| details);
    let subject = own.and_then(|details| {
        details["name"].as_str().or(details["error"].as_str()).or(details["resource"].as_str())
    });
    html! {
        @match own {
            Some(own) => details { summary { (name) " " span.quiet { (subject.unwrap_or_default()) } } pre { (pretty(&own.to_string())) } },
            None => (name),
        }
    }
}

/// A lane for every state entered, as long as it took.
fn lanes(execution: &Execution, history: &[Value]) -> Markup {
    let time = |event: &Value| event["timestamp"].as_f64().unwrap_or_default();
    let end = execution.stop_date.or(history.last().map(time)).unwrap_or(execution.start_date);
    let whole = (end - execution.start_date).max(0.001);
    let states: Vec<(String, f64, f64)> = history
        .iter()
        .enumerate()
        .filter_map(|(index, event)| {
            let name = event.pointer("/stateEnteredEventDetails/name")?.as_str()?;
            let exit = history[index..].iter().find(|later| {
                later.pointer("/stateExitedEventDetails/name").and_then(Value::as_str) == Some(name)
            });
            Some((name.to_owned(), time(event), exit.map_or(end, time)))
        })
        .collect();
    html! {
        table {
            @for (name, from, to) in &states {
                tr {
                    td { (name) }
                    td style="width: 65%" {
                        div.lane {
                            span style=(format!("left: {:.2}%; width: {:.2}%", (from - execution.start_date) / whole * 100.0, (to - from) / whole * 100.0)) {}
                        }
                    }
                    td.number { (format!("{:.2} s", to - from)) }
                }
            }
        }
    }
}

pub fn problem(message: &str) -> Markup {
    document(
        "Not found",
        false,
        &html! { h1 { "This cannot be shown" } p { (message) } p { a href="/" { "state machines" } } },
    )
}

fn link(arn: &str) -> String {
    format!(
        "{}/execution/{}",
        super::ROOT,
        arn.replace('%', "%25").replace('/', "%2F").replace('?', "%3F").replace('#', "%23")
    )
}

fn clock(seconds: f64) -> String {
    // Milliseconds of any date fit into 53 bits.
    #[expect(clippy::cast_possible_truncation, reason = "a date in milliseconds")]
    let time = jiff::Timestamp::from_millisecond((seconds * 1000.0) as i64).unwrap_or_default();
    time.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()
}

/// JSON on lines of its own; other texts as they are.
fn pretty(text: &str) -> String {
    serde_json::from_str::<Value>(text)
        .ok()
        .and_then(|value| serde_json::to_string_pretty(&value).ok())
        .unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_execution_shows_its_states_and_escapes_what_it_shows() {
        let described = json!({
            "executionArn": "arn:aws:states:us-east-1:123456789012:execution:etl:a", "name": "a", "status": "FAILED",
            "startDate": 10.0, "stopDate": 12.0, "error": "Data.Empty", "cause": "<script>", "input": "{\"unit\":{\"dataset\":\"green\",\"month\":\"2024-01\"}}"
        });
        let described: Execution = serde_json::from_value(described).unwrap();
        let history = [
            json!({"id": 1, "previousEventId": 0, "timestamp": 10.0, "type": "ExecutionStarted"}),
            json!({"id": 2, "previousEventId": 1, "timestamp": 10.5, "type": "TaskStateEntered", "stateEnteredEventDetails": {"name": "Fetch"}}),
            json!({"id": 3, "previousEventId": 2, "timestamp": 11.5, "type": "TaskStateExited", "stateExitedEventDetails": {"name": "Fetch"}}),
        ];
        let page = execution(&described, &history, &[], "<svg></svg>").into_string();
        assert!(
            page.contains("<h1>green 2024-01 <span class=\"FAILED\">FAILED</span></h1>"),
            "{page}"
        );
        assert!(page.contains("left: 25.00%; width: 50.00%"), "{page}");
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script>"), "{page}");
    }
}

//! What AWS Step Functions itself answered, against what this crate answers:
//! the recorded cases in `../shared/conformance/asl`, where that folder is
//! present. Virtual time; no service; the recorded answers of every Task.
//!
//! `ASL_CASE=part-of-a-case-id` runs the matching cases only and shows what
//! differs; `ASL_VERBOSE=1` shows it for all.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test that reports")]

mod case;
mod clock;
mod compare;
mod limits;
mod scenarios;
mod script;

use std::collections::BTreeMap;

use asl::Definition;
use case::Kind;
use compare::Verdict;

/// Cases of AWS provenance that may be compared. A change that makes one of
/// these smaller has broken something; one that makes it larger raises it.
const FLOOR: Score = Score {
    comparable: 736,
    results: 734,
    histories_comparable: 399,
    histories: 395,
    causes_comparable: 80,
    causes: 80,
};

/// Known differences: a case, and why it differs.
const KNOWN: &[(&str, &str)] = &[
    (
        "intrinsic/generic.test_nested_calls_1.exec_hist_resp_0",
        "the recorded machine's name had no hyphen; the corpus's name for it has two",
    ),
    (
        "intrinsic/generic.test_nested_calls_2.exec_hist_resp_0",
        "the recorded machine's name had no hyphen; the corpus's name for it has two",
    ),
    (
        "scenarios/base_scenarios.test_lambda_service_invoke_with_retry_extended_input",
        "recorded before the context object had Execution.RedriveCount",
    ),
    (
        "services/aws_sdk_task_service.test_sfn_start_execution_implicit_json_serialisation",
        "the ARN in the definition is not the one in the recorded history",
    ),
    (
        "local_mocking/base_scenarios.test_lambda_service_invoke_sync_execution.start_execution_sync_response",
        HTTP_METADATA,
    ),
    ("mock_config/base_callbacks.test_sfn_start_execution_sync-SFN_SYNC2", HTTP_METADATA),
    ("mock_config/base_scenarios.test_lambda_service_invoke", HTTP_METADATA),
    ("mock_config/base_scenarios.test_parallel_state_lambda", HTTP_METADATA),
    ("mock_config/base_scenarios.test_sns_publish_base", HTTP_METADATA),
    ("mock_config/base_scenarios.test_sqs_send_message", HTTP_METADATA),
];

const HTTP_METADATA: &str =
    "recorded from the real service; the mocked answer lacks what only that service adds";

/// Groups that repeat the definitions of others under another feature.
const REPEATS: [&str; 3] = ["local_mocking", "logs", "mock_config"];

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Score {
    comparable: usize,
    results: usize,
    histories_comparable: usize,
    histories: usize,
    causes_comparable: usize,
    causes: usize,
}

impl Score {
    fn add(&mut self, verdict: &Verdict) {
        self.comparable += 1;
        self.results += usize::from(verdict.result);
        if let Some(history) = verdict.history {
            self.histories_comparable += 1;
            self.histories += usize::from(history);
        }
        if let Some(cause) = verdict.cause {
            self.causes_comparable += 1;
            self.causes += usize::from(cause);
        }
    }

    fn line(&self, name: &str) {
        let Self {
            comparable,
            results,
            histories_comparable,
            histories,
            causes_comparable,
            causes,
        } = self;
        println!(
            "{name:32} results {results:4}/{comparable:<4} histories \
             {histories:4}/{histories_comparable:<4} causes {causes:4}/{causes_comparable:<4}"
        );
    }
}

#[test]
#[expect(clippy::disallowed_methods, reason = "this test's own two switches")]
fn recorded_executions_run_as_on_aws() {
    let Some(cases) = case::load() else {
        println!("no recorded cases beside this checkout: 0 ran");
        return;
    };
    let wanted = std::env::var("ASL_CASE").ok();
    let verbose = wanted.is_some() || std::env::var_os("ASL_VERBOSE").is_some();
    let mut groups: BTreeMap<&str, Score> = BTreeMap::new();
    let (mut total, mut repeats) = (Score::default(), Score::default());
    let mut unconfirmed = Score::default();
    let mut unexpected = Vec::new();
    for case in &cases {
        let skipped = wanted.as_ref().is_some_and(|wanted| !case.id.contains(wanted));
        if case.kind != Kind::Execution || !case.comparable || skipped {
            continue;
        }
        let verdict = compare::compare(case, &script::run(case));
        if !verdict.is_right() && verbose {
            println!("{}\n{}", case.id, verdict.differences);
        }
        if case.provenance == "aws" {
            groups.entry(case.group.as_str()).or_default().add(&verdict);
            if REPEATS.contains(&case.group.as_str()) {
                repeats.add(&verdict);
            } else {
                total.add(&verdict);
            }
            let known = KNOWN.iter().any(|(id, _)| case.id == *id);
            if verdict.is_right() == known {
                unexpected.push(case.id.as_str());
            }
        } else {
            unconfirmed.add(&verdict);
        }
    }
    for (group, score) in &groups {
        score.line(group);
    }
    total.line("all of AWS provenance");
    repeats.line("repeats of these");
    unconfirmed.line("others");
    assert!(unexpected.is_empty(), "not as expected: {unexpected:#?}");
    if wanted.is_none() {
        assert!(total.results >= FLOOR.results, "results fell below the floor");
        assert!(total.histories >= FLOOR.histories, "histories fell below the floor");
        assert!(total.causes >= FLOOR.causes, "causes fell below the floor");
    }
}

#[test]
fn recorded_definitions_are_accepted_or_rejected_as_on_aws() {
    let Some(cases) = case::load() else {
        println!("no recorded cases beside this checkout: 0 ran");
        return;
    };
    let (mut ran, mut right) = (0, 0);
    for case in &cases {
        let parsed = Definition::parse_as(&case.definition, case.execution_type);
        let expected = match case.kind {
            Kind::CreateAccepted => parsed.is_ok(),
            // The other rejected creations are the service's doing.
            Kind::CreateRejected if case.group.starts_with("definition_rejected") => {
                parsed.is_err()
            }
            Kind::Validate => {
                let codes: Vec<_> = parsed.as_ref().err().into_iter().flatten().collect();
                let recorded = case.expected["diagnostics"].as_array().unwrap();
                codes.len() == recorded.len()
                    && codes.iter().zip(recorded).all(|(ours, theirs)| {
                        theirs["code"] == ours.code.as_str()
                            && theirs["location"] == ours.location.as_str()
                            && theirs["message"] == ours.message.as_str()
                    })
            }
            _ => continue,
        };
        ran += 1;
        right += usize::from(expected);
        if !expected {
            println!("differs: {} {:?}", case.id, parsed.err());
        }
    }
    println!("definitions: {right} of {ran} as on AWS");
    assert_eq!(right, ran);
}

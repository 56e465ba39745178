//! A month that fails its rules, and a person who is asked.

use std::time::Duration;

use aws::athena::Limits;
use serde_json::{Value, json};

use crate::simulation::content::{Content, DATASET, FILE, MONTH, spoiled};
use crate::simulation::world::{Deployed, World, alone, stack};

/// What the person does.
enum Answer {
    Approve,
    Refuse,
    /// Nothing, until it is too late.
    Nothing,
}

/// How it ended.
struct End {
    ledger: Vec<Value>,
    letters: String,
    waited: Duration,
}

/// Loads a spoiled month with two hours for an answer.
fn load(answer: &Answer) -> End {
    let folder = tempfile::tempdir().expect("a folder");
    let content = spoiled(folder.path());
    let parameters = [("Datasets", DATASET), ("ApprovalHours", "2")];
    let deployed = Deployed::new(stack(&parameters).expect("the template")).expect("deployed");
    alone(&deployed, Limits::default(), async |world| {
        let day = "2029-12-01T00:00:00Z".parse().expect("a time");
        let path = format!("trip-data/{FILE}");
        world.universe.site.publish(&path, content.bytes.clone(), day);
        let began = tokio::time::Instant::now();
        world.start(&json!({"dataset": DATASET, "months": [MONTH]})).await?;
        let question = question(world, &content).await?;
        let token = word_after(&question, "--task-token ");
        match answer {
            Answer::Approve => {
                let answer = json!({"taskToken": token, "output": r#"{"approved_by": "Ada"}"#});
                world.call("states", "SendTaskSuccess", answer).await?;
            }
            Answer::Refuse => {
                let answer = json!({"taskToken": token, "error": "Approval.Refused"});
                world.call("states", "SendTaskFailure", answer).await?;
            }
            Answer::Nothing => {}
        }
        world.settle().await?;
        let letters = world.letters().await?.concat();
        Ok(End { ledger: world.ledger(DATASET)?, letters, waited: began.elapsed() })
    })
    .expect("it comes to its end")
}

/// The message that asks, once it has been published.
async fn question(world: &World<'_>, content: &Content) -> anyhow::Result<String> {
    for _ in 0..600 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let told = world.told()?;
        if let Some(question) = told.into_iter().find(|message| message.contains("--task-token")) {
            assert!(question.contains("most_rows_rejected: 0.25 is not >= 0.5"), "{question}");
            assert!(question.contains(MONTH), "{question}");
            return Ok(question);
        }
    }
    anyhow::bail!("nobody was asked about {} broken rows", content.broken)
}

fn word_after<'t>(text: &'t str, before: &str) -> &'t str {
    let rest = text.split_once(before).expect("the word").1;
    rest.split_whitespace().next().expect("a word")
}

#[test]
fn an_approved_month_is_loaded_in_somebodys_name() {
    let End { ledger, letters, .. } = load(&Answer::Approve);
    assert_eq!(ledger.len(), 1, "{letters}");
    let entry = &ledger[0]["entry"];
    assert_eq!((&entry["approved_by"], &entry["rows_rejected"]), (&json!("Ada"), &json!(18)));
    assert_eq!(letters, "");
}

#[test]
fn refusal_and_silence_set_a_month_aside_for_the_reason_it_had() {
    for (answer, least) in [(Answer::Refuse, 0), (Answer::Nothing, 2)] {
        let End { ledger, letters, waited } = load(&answer);
        assert_eq!(ledger, Vec::<Value>::new());
        assert!(letters.contains("DataQuality.RuleFailed"), "{letters}");
        assert!(waited >= Duration::from_hours(least), "{waited:?}");
    }
}

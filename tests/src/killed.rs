//! A small share of the kills that `--bin kill` does by the hundred.

use crate::house::{program, root};
use crate::killing::trial::Trial;
use crate::whole_run::{local, succeed};

const SEED: u64 = 7;

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_sees_whole_months_whenever_the_rest_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let from = folder.path().join("months");
    for (month, rows) in [("2023-11", "3000"), ("2023-12", "4000"), ("2024-01", "5000")] {
        let out = from.display().to_string();
        let arguments =
            ["sample", "--dataset", "green", "--month", month, "--rows", rows, "--out", &out];
        succeed(&local(&arguments), 0);
    }
    let trial = Trial {
        program: program().to_owned(),
        root: root(),
        from,
        dataset: "green".to_owned(),
        times: 5,
        kills_per_life: 5,
        seed: SEED,
    };
    let reference = trial.reference(folder.path()).await.expect("undisturbed runs load all");
    assert_eq!(reference.counts[0], 12_000);
    let life = trial.life(&reference, 0, trial.times).await.expect("every run can be killed");
    assert_eq!(life.kills.len(), 5);
    assert!(life.tally.polls > 0);
    assert!(life.violations.is_empty(), "seed {SEED}:\n{}", life.violations.join("\n"));
}

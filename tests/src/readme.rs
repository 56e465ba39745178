//! The README says what is so.

use std::fs;

use crate::house::root;

#[test]
fn the_picture_is_the_state_machine() {
    let text = fs::read_to_string(root().join("statemachines/nyc_taxi_etl.asl.json"))
        .expect("the state machine");
    let drawn = runner::graph::mermaid(&serde_json::from_str(&text).expect("JSON"), None);
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    assert!(
        readme.contains(&drawn),
        "README.md's picture is old: put in what `cargo local graph nyc_taxi_etl` prints"
    );
}

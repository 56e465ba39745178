//! What goes wrong with input, what is to become of it, and the test that shows it: one table for the whole workspace.
//!
//! Nothing bad is loaded as if it were good: rows are conserved, loaded and rejected ones together, or the file is
//! refused by a name, with the file and the column at fault.

mod csv;
mod heads;
mod names;
mod parquet;

use std::fs;

use crate::house::root;

/// Where it comes in, what it is, and the tests: file and name.
struct Item(&'static str, &'static str, &'static [(&'static str, &'static str)]);

const ARRIVAL: &str = "functions/extract/src/arrival.rs";
const CONTENT: &str = "functions/extract/src/content.rs";
const SOURCE: &str = "functions/extract/tests/source/main.rs";
const HOSTILE: &str = "functions/extract/tests/source/hostile.rs";
const SLOW: &str = "functions/extract/tests/source/slow.rs";
const PAYLOAD: &str = "shared/src/payload.rs";
const FOOTER: &str = "functions/validate/src/parquet_footer.rs";
const SHAPE: &str = "functions/validate/src/footer_shape.rs";
const VALIDATE: &str = "functions/validate/src/tests.rs";
const PROTOCOL: &str = "functions/load/tests/protocol/main.rs";
const ATHENA: &str = "functions/check-athena-result/tests/athena/main.rs";
const AUDIT: &str = "functions/check-athena-result/src/audit.rs";
const HANDLER: &str = "functions/handle-error/src/lib.rs";
const LIMITS: &str = "local/asl/tests/conformance/limits.rs";
const SCENARIOS: &str = "local/asl/tests/conformance/scenarios.rs";
const SLT: &str = "local/lake/src/sql/tests/mod.rs";
const CSV: &str = "tests/src/bad_input/csv.rs";
const HEADS: &str = "tests/src/bad_input/heads.rs";
const PARQUET: &str = "tests/src/bad_input/parquet.rs";
const NAMES: &str = "tests/src/bad_input/names.rs";
const SIMULATED: &str = "tests/src/simulated.rs";

const LOST: (&str, &str) = (CSV, "every_row_of_a_bad_file_is_accounted_for_or_the_file_is_refused");
const FILES: (&str, &str) = (PARQUET, "a_broken_parquet_file_is_refused_and_the_others_load");

#[rustfmt::skip]
const TABLE: &[Item] = &[
    Item("all", "a state of more than 262,144 bytes", &[(LIMITS, "data_ends_at_262_144_bytes")]),
    Item("all", "deep JSON", &[(PAYLOAD, "what_is_no_event_is_told_and_not_the_runtime_s_to_refuse"), (LIMITS, "texts_that_nest_without_end_are_refused")]),
    Item("all", "duplicate keys", &[(PAYLOAD, "what_is_no_event_is_told_and_not_the_runtime_s_to_refuse"), ("local/asl/src/review/duplicate.rs", "a_name_that_stands_twice_is_told_at_its_last_place")]),
    Item("all", "lone surrogates", &[(PAYLOAD, "what_is_no_event_is_told_and_not_the_runtime_s_to_refuse"), (LIMITS, "texts_that_nest_without_end_are_refused")]),
    Item("all", "the same event twice", &[(SIMULATED, "no_seed_loses_doubles_or_mixes_rows"), ("functions/load/src/order.rs", "one_content_is_loaded_once")]),
    Item("all", "events out of order", &[(PROTOCOL, "old_content_that_comes_late_is_superseded")]),
    Item("all", "a delete event", &[(ARRIVAL, "other_events_load_nothing"), (SOURCE, "a_plan_is_made_of_any_input")]),
    Item("all", "a key outside the prefix", &[(ARRIVAL, "what_is_ours_to_load")]),
    Item("extract", "key a+b%2Fc", &[(HOSTILE, "a_key_is_opaque_and_never_leads_anywhere"), ("functions/extract/src/raw_copy.rs", "keys_are_encoded_once")]),
    Item("extract", "key %E2%98%83", &[(HOSTILE, "a_key_is_opaque_and_never_leads_anywhere"), ("functions/extract/src/raw_copy.rs", "keys_are_encoded_once")]),
    Item("extract", "key ../", &[(HOSTILE, "a_key_is_opaque_and_never_leads_anywhere")]),
    Item("extract", "key //", &[(HOSTILE, "a_key_is_opaque_and_never_leads_anywhere"), (ARRIVAL, "what_is_ours_to_load")]),
    Item("extract", "key with NUL", &[(HOSTILE, "a_key_is_opaque_and_never_leads_anywhere"), (NAMES, "no_name_of_a_file_ends_its_text")]),
    Item("extract", "key of 1,024 bytes", &[(HOSTILE, "a_key_is_opaque_and_never_leads_anywhere"), (NAMES, "no_name_of_a_file_ends_its_text")]),
    Item("extract", "key '; DROP", &[(HOSTILE, "a_key_is_opaque_and_never_leads_anywhere"), (NAMES, "no_name_of_a_file_ends_its_text")]),
    Item("extract", "key with a backtick", &[(HOSTILE, "a_key_is_opaque_and_never_leads_anywhere"), (NAMES, "no_name_of_a_file_ends_its_text")]),
    Item("extract", "redirects to link-local, loopback and private addresses", &[(HOSTILE, "no_redirect_is_followed_wherever_it_leads")]),
    Item("extract", "addresses in decimal and other spellings", &[(HOSTILE, "a_url_is_judged_as_it_would_be_asked")]),
    Item("extract", "slow answers", &[(SLOW, "a_site_that_falls_silent_is_given_up_after_a_bound"), (SLOW, "a_file_that_trickles_has_a_deadline_as_a_whole")]),
    Item("extract", "missing or short Content-Length", &[(HOSTILE, "a_length_that_is_missing_or_another_is_found_out"), (SOURCE, "a_broken_download_is_taken_up_where_it_broke")]),
    Item("extract", "wrong ETag", &[(HOSTILE, "a_part_of_another_file_is_no_rest")]),
    Item("extract", "an object that changes while it is read", &[(SOURCE, "a_file_that_cannot_be_whole_is_an_error")]),
    Item("extract", "a gzip bomb", &[(CONTENT, "corrupt_and_swollen_gzip_is_refused"), (CONTENT, "what_is_larger_than_any_month_is_refused")]),
    Item("extract", "truncated gzip", &[(CONTENT, "a_file_that_is_cut_is_not_a_file"), LOST]),
    Item("extract", "a suffix that lies", &[(CONTENT, "a_suffix_that_lies_is_found_out"), LOST]),
    Item("CSV", "a byte-order mark", &[LOST]),
    Item("CSV", "CRLF", &[LOST]),
    Item("CSV", "ragged rows", &[LOST]),
    Item("CSV", "a huge field", &[LOST]),
    Item("CSV", "bad UTF-8", &[LOST]),
    Item("CSV", "an empty file", &[LOST]),
    Item("CSV", "a header alone", &[LOST]),
    Item("CSV", "renamed columns", &[LOST]),
    Item("CSV", "reordered columns", &[LOST]),
    Item("CSV", "extra columns", &[LOST]),
    Item("CSV", "rows wider than the header", &[LOST]),
    Item("CSV", "i64 overflow", &[LOST]),
    Item("CSV", "1e999", &[LOST]),
    Item("CSV", "impossible dates", &[LOST]),
    Item("CSV", "every era of the TLC's own files", &[(HEADS, "rows_of_every_era_are_loaded_and_never_shifted"), (VALIDATE, "every_known_csv_header_maps")]),
    Item("Parquet", "a truncated file", &[(FOOTER, "refuses_what_is_no_whole_parquet_file"), FILES]),
    Item("Parquet", "a corrupt footer", &[(FOOTER, "survives_any_wrong_byte"), (SHAPE, "what_a_footer_claims_must_stand_in_it"), FILES]),
    Item("Parquet", "a corrupt ARROW:schema", &[(FOOTER, "a_corrupt_arrow_schema_is_passed_over"), FILES]),
    Item("Parquet", "a huge row group, and too many of them", &[(FOOTER, "two_thousand_million_row_groups_are_refused_before_there_is_room_for_them"), (FOOTER, "more_rows_than_any_month_has_are_refused"), FILES]),
    Item("validate", "a catastrophic regular expression", &[(NAMES, "no_query_of_a_rule_takes_for_ever_or_passes_by_failing")]),
    Item("validate", "division by zero", &[(NAMES, "no_query_of_a_rule_takes_for_ever_or_passes_by_failing"), (AUDIT, "judges_rows_and_rules")]),
    Item("validate", "an empty table", &[(ATHENA, "an_empty_result_accounts_for_no_row"), LOST]),
    Item("validate", "a column that is all NULL", &[(VALIDATE, "every_known_parquet_schema_maps"), LOST]),
    Item("validate", "a missing column", &[(VALIDATE, "refuses_files_by_name_of_the_error"), LOST]),
    Item("validate", "hostile SQL", &[(NAMES, "no_name_of_a_file_ends_its_text"), (NAMES, "no_query_of_a_rule_takes_for_ever_or_passes_by_failing")]),
    Item("load", "a target that is not empty", &[(SLT, "cases_hold"), ("functions/handle-error/src/verdict.rs", "judges_by_name_then_by_athenas_words")]),
    Item("load", "a partition that is there", &[(PROTOCOL, "a_partition_of_another_place_is_no_partition_of_ours")]),
    Item("load", "more than 100 partitions", &[(SLT, "cases_hold"), ("functions/handle-error/src/verdict.rs", "judges_by_name_then_by_athenas_words")]),
    Item("check-athena-result", "FAILED", &[(ATHENA, "no_state_but_succeeded_is_a_result")]),
    Item("check-athena-result", "CANCELLED", &[(ATHENA, "no_state_but_succeeded_is_a_result")]),
    Item("check-athena-result", "QUEUED for ever", &[(ATHENA, "no_state_but_succeeded_is_a_result")]),
    Item("check-athena-result", "pages", &[(ATHENA, "all_pages_are_read_and_the_header_is_no_row")]),
    Item("check-athena-result", "a header row", &[(ATHENA, "all_pages_are_read_and_the_header_is_no_row"), (ATHENA, "no_row_of_show_tables_is_taken_for_a_header")]),
    Item("check-athena-result", "no rows", &[(ATHENA, "an_empty_result_accounts_for_no_row")]),
    Item("check-athena-result", "throttling", &[(ATHENA, "throttling_alone_is_tried_again")]),
    Item("handle-error", "an error inside the handler", &[(NAMES, "an_error_of_the_handler_leads_to_the_queue_and_never_back")]),
    Item("handle-error", "an unknown error", &[("functions/handle-error/src/verdict.rs", "judges_by_name_then_by_athenas_words"), (HANDLER, "odd_input_ends_in_the_queue")]),
    Item("handle-error", "a cause of 32 KB", &[(HANDLER, "a_cause_of_32_kb_is_cut_and_told")]),
    Item("handle-error", "secrets in a cause", &[(HANDLER, "no_secret_of_a_cause_is_passed_on"), ("functions/handle-error/src/redaction.rs", "secrets_go_and_the_rest_stays")]),
    Item("ASL", "a cyclic Next", &[(LIMITS, "a_cycle_ends_with_the_history"), (SCENARIOS, "the_history_ends_at_25_000_events")]),
    Item("ASL", "an endless expression", &[(LIMITS, "an_expression_without_end_is_cut_off"), (LIMITS, "a_path_that_multiplies_is_cut_off")]),
    Item("ASL", "a huge Map", &[(LIMITS, "a_huge_inline_map_ends_with_the_history")]),
    Item("ASL", "a long Wait", &[(LIMITS, "a_wait_is_at_most_as_long_as_an_execution"), (SCENARIOS, "an_execution_has_a_time_limit")]),
];

#[test]
fn every_item_has_its_tests() {
    let mut missing = Vec::new();
    for Item(place, what, tests) in TABLE {
        assert!(!tests.is_empty(), "{place}: {what}");
        for (file, name) in *tests {
            let text = fs::read_to_string(root().join(file)).unwrap_or_default();
            if !text.contains(&format!("fn {name}(")) {
                missing.push(format!("{place}, {what}: {file} has no test {name}"));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
    println!("{} of {} items have their tests", TABLE.len(), TABLE.len());
}

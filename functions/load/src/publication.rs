//! Shows readers what the ledger says: one view of the live rows, one of the rejected ones.
//!
//! A view carries the number of the ledger entry it shows, and only ever moves to a higher one.
//! So anyone may publish at any time: the slow find that it is done.

use aws_sdk_glue::types::{Column, SerDeInfo, StorageDescriptor, Table, TableInput};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use shared::dataset::{Dataset, View};
use shared::ledger::{self, Entry};

use crate::catalog::{self, CatalogError, Written};
use crate::{LoadError, State};

/// What Athena writes into a view's catalog entry.
const VIRTUAL_VIEW: &str = "VIRTUAL_VIEW";
const EXPANDED_TEXT: &str = "/* Presto View */";
const COMMENT: &str = "Presto View";
/// Rounds until the ledger stands still, and tries per view. Each round that is not the last has
/// shown the entry of another run.
const ROUNDS: u32 = 128;

/// Publishes the newest ledger entry; answers its number, or none before the first commit.
///
/// The head is read again afterwards: whether Glue holds to `VersionId` for views as it does for
/// tables is nowhere said, and a lower entry that slipped in is corrected so.
pub async fn publish(state: &State, contract: &Dataset) -> Result<Option<u64>, LoadError> {
    let lake = &state.config.lake_bucket;
    let Some(mut head) = ledger::head(&state.s3, lake, contract.name, None).await? else {
        return Ok(None);
    };
    for _ in 0..ROUNDS {
        for view in views(&state.config.database, contract, &head) {
            show(state, view, head.seq).await?;
        }
        match ledger::head(&state.s3, lake, contract.name, Some(head.seq)).await? {
            Some(newer) if newer.seq > head.seq => head = newer,
            _ => {
                tracing::info!(dataset = %contract.name, seq = head.seq, "published");
                return Ok(Some(head.seq));
            }
        }
    }
    let place = catalog::place(state, &contract.view);
    Err(CatalogError::Contended { place, tries: ROUNDS }.into())
}

/// Publishes what the ledger holds and a view does not show yet: whoever committed it has died before it was shown.
pub async fn catch_up(state: &State, contract: &Dataset, head: &Entry) -> Result<(), LoadError> {
    for view in views(&state.config.database, contract, head) {
        let standing = catalog::get_table(state, &view.name).await?;
        if standing.as_ref().and_then(shown) < Some(head.seq) {
            publish(state, contract).await?;
            return Ok(());
        }
    }
    Ok(())
}

/// The ledger entry that a view shows.
fn shown(view: &Table) -> Option<u64> {
    view.parameters()?.get(ledger::SHOWN)?.parse().ok()
}

fn views(database: &str, contract: &Dataset, head: &Entry) -> [View; 2] {
    let live: Vec<_> = head.live.values().map(|live| live.run.clone()).collect();
    [contract.published_view(database, &live), contract.rejected_view(database, &live)]
}

/// Brings one view to entry `seq`, unless it is there or beyond.
async fn show(state: &State, view: View, seq: u64) -> Result<(), CatalogError> {
    let place = catalog::place(state, &view.name);
    let input = table_input(&state.config.database, view, seq);
    for _ in 0..ROUNDS {
        let written = match catalog::get_table(state, input.name()).await? {
            None => catalog::create_view(state, input.clone()).await?,
            Some(standing) if standing.table_type() != Some(VIRTUAL_VIEW) => {
                return Err(CatalogError::NotAView { place });
            }
            Some(standing) => {
                if shown(&standing) >= Some(seq) {
                    return Ok(());
                }
                catalog::update_view(state, input.clone(), standing.version_id()).await?
            }
        };
        if written == Written::Yes {
            return Ok(());
        }
    }
    Err(CatalogError::Contended { place, tries: ROUNDS })
}

/// A view as Athena itself keeps it in Glue: its SELECT, and its columns for both of its parsers.
fn table_input(database: &str, view: View, seq: u64) -> TableInput {
    let definition = json!({
        "originalSql": view.sql.as_str(),
        "catalog": "awsdatacatalog",
        "schema": database,
        "columns": view.columns.iter()
            .map(|column| json!({"name": column.name, "type": column.trino_type}))
            .collect::<Vec<_>>(),
    });
    let text = format!("/* Presto View: {} */", STANDARD.encode(definition.to_string()));
    let columns = view.columns.iter().map(|column| {
        let column = Column::builder().name(&column.name).r#type(column.hive_type).build();
        column.expect("it has a name")
    });
    let storage = StorageDescriptor::builder()
        .set_columns(Some(columns.collect()))
        .location("")
        .serde_info(SerDeInfo::builder().build())
        .build();
    TableInput::builder()
        .name(view.name)
        .table_type(VIRTUAL_VIEW)
        .view_original_text(text)
        .view_expanded_text(EXPANDED_TEXT)
        .storage_descriptor(storage)
        .set_partition_keys(Some(Vec::new()))
        .parameters("comment", COMMENT)
        .parameters("presto_view", "true")
        .parameters(ledger::SHOWN, seq.to_string())
        .build()
        .expect("it has a name")
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use shared::run::Run;

    use super::*;

    #[test]
    fn a_view_is_written_as_athena_writes_it() {
        let zones = Dataset::named("zones".parse().unwrap());
        let view = zones.published_view("taxi", &[Run::from("a-1".to_owned())]);
        let input = table_input("taxi", view, 7);
        assert_eq!((input.name(), input.table_type()), ("taxi_zones", Some("VIRTUAL_VIEW")));
        assert_eq!(input.parameters().unwrap()["ledger_seq"], "7");
        let text = input.view_original_text().unwrap();
        let encoded = text.strip_prefix("/* Presto View: ").unwrap().strip_suffix(" */").unwrap();
        let definition: Value = serde_json::from_slice(&STANDARD.decode(encoded).unwrap()).unwrap();
        assert!(definition["originalSql"].as_str().unwrap().contains("\"run\" IN ('a-1')"));
        assert_eq!(definition["columns"][0], json!({"name": "locationid", "type": "bigint"}));
        let columns = input.storage_descriptor().unwrap().columns();
        assert_eq!(columns.len(), definition["columns"].as_array().unwrap().len());
        assert_eq!(columns[1].r#type(), Some("string"));
    }
}

//! Two questions to the Glue catalog: are all of our tables there, and do readers see all that is committed?

use aws_sdk_glue::error::{DisplayErrorContext, ProvideErrorMetadata};
use std::collections::BTreeMap;

use futures::future::join_all;
use shared::dataset::{Dataset, DatasetName};
use shared::ledger::SHOWN;
use shared::quality_log;

use crate::State;

/// Is a table of these data sets missing, or that of the rules' results? When the catalog does not say, it may be: the state machine then asks
/// Athena, and makes what is missing.
pub async fn is_first_run(state: &State, datasets: &[DatasetName]) -> bool {
    let tables = datasets.iter().map(|dataset| Dataset::named(*dataset).runs_table());
    let results = (!datasets.is_empty()).then(|| quality_log::TABLE.to_owned());
    let tables = tables.chain(results);
    join_all(tables.map(|table| is_missing(state, table))).await.contains(&true)
}

async fn is_missing(state: &State, table: String) -> bool {
    let request = state.glue.get_table().database_name(&state.config.database).name(&table);
    match Box::pin(request.send()).await {
        Ok(_) => false,
        Err(error) if error.code() == Some("EntityNotFoundException") => true,
        Err(error) => {
            let error = DisplayErrorContext(error);
            tracing::warn!(table, %error, "whether the table is there could not be asked");
            true
        }
    }
}

/// The data sets whose view shows an older entry than the ledger's newest. When the catalog does not say, the next
/// run asks again.
pub async fn unpublished(state: &State, seqs: &BTreeMap<DatasetName, u64>) -> Vec<DatasetName> {
    let behind = seqs.iter().map(async |(dataset, seq)| {
        let view = Dataset::named(*dataset).view;
        let request = state.glue.get_table().database_name(&state.config.database).name(&view);
        match Box::pin(request.send()).await {
            Ok(found) => {
                let parameters = found.table().and_then(|table| table.parameters());
                let shown = parameters.and_then(|parameters| parameters.get(SHOWN)?.parse().ok());
                (shown < Some(*seq)).then_some(*dataset)
            }
            Err(error) if error.code() == Some("EntityNotFoundException") => Some(*dataset),
            Err(error) => {
                let error = DisplayErrorContext(error);
                tracing::warn!(view, %error, "whether the view is behind could not be asked");
                None
            }
        }
    });
    join_all(behind).await.into_iter().flatten().collect()
}

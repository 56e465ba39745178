//! The first-run question, asked of the Glue catalog: are all of our tables there?

use aws_sdk_glue::error::{DisplayErrorContext, ProvideErrorMetadata};
use futures::future::join_all;
use shared::dataset::{Dataset, DatasetName};

use crate::State;

/// Is a table of these data sets missing? When the catalog does not say, it may be: the state machine then asks
/// Athena, and makes what is missing.
pub async fn is_first_run(state: &State, datasets: &[DatasetName]) -> bool {
    join_all(datasets.iter().map(|dataset| is_missing(state, *dataset))).await.contains(&true)
}

async fn is_missing(state: &State, dataset: DatasetName) -> bool {
    let table = Dataset::named(dataset).runs_table();
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

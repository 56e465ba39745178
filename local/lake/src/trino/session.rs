//! DataFusion set up for one query: our functions and operators alone, one memory
//! pool for all queries of the process, spilling to disk.

use std::sync::Arc;

use datafusion::catalog::CatalogProviderList;
use datafusion::common::Result;
use datafusion::execution::SessionStateDefaults;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::{FairSpillPool, MemoryPool};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::execution::session_state::{SessionState, SessionStateBuilder};
use datafusion::logical_expr::planner::ExprPlanner;
use datafusion::logical_expr::{AggregateUDF, HigherOrderUDF, ScalarUDF, WindowUDF};
use datafusion::optimizer::{Analyzer, AnalyzerRule};
use datafusion::prelude::SessionConfig;

use super::build_side;
use super::chance::Chance;
use super::correlated::Correlated;
use super::dense_groups::DenseGroups;
use super::dependencies::HiddenKeys;
use super::float_lists::FloatLists;
use super::functions;
use super::group_sizes::GroupSizes;
use super::multiset::Multiset;
use super::operators::TrinoOperators;
use super::temporal::Temporal;
use super::ties::Ties;
use super::unnest::{UnnestJoin, UnnestRelation};
use super::using::UsingRelation;
use super::yielding::JoinsYield;
use crate::moment::Zone;
use crate::spill::Spill;
use crate::tables::QueryStores;

/// Bytes all queries of the process may hold together; past it they spill or fail.
const MEMORY: usize = 512 * 1024 * 1024;
/// Bytes of a join's smaller side up to which all streams share one copy of it.
const SHARED: usize = 16 * 1024 * 1024;
/// Rows of a batch.
const BATCH: usize = 8_192;
/// Streams of a plan run side by side, at most.
const STREAMS: usize = 4;

/// DataFusion's scalar functions that planning needs, or that mean what Trino's do.
const SCALAR: [&str; 2] = ["get_field", "named_struct"];

/// DataFusion's aggregates that mean what Trino's do, with Trino's further names.
const AGGREGATES: [(&str, &[&str]); 28] = [
    ("count", &[]),
    ("sum", &[]),
    ("avg", &[]),
    ("min", &[]),
    ("max", &[]),
    ("array_agg", &[]),
    ("bool_and", &[]),
    ("bool_or", &[]),
    ("stddev", &["stddev_samp"]),
    ("stddev_pop", &[]),
    ("var", &["variance", "var_samp"]),
    ("var_pop", &[]),
    ("corr", &[]),
    ("covar_pop", &[]),
    ("covar_samp", &[]),
    ("regr_slope", &[]),
    ("regr_intercept", &[]),
    ("approx_distinct", &[]),
    ("approx_percentile_cont", &[]),
    ("first_value", &[]),
    ("last_value", &[]),
    ("nth_value", &[]),
    ("string_agg", &[]),
    ("grouping", &[]),
    ("approx_percentile_cont_with_weight", &[]),
    ("bit_and", &[]),
    ("bit_or", &[]),
    ("bit_xor", &[]),
];

/// What queries share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Engine {
    inner: Arc<Shared>,
    /// The zone of sessions: Athena's is UTC.
    zone: Zone,
}

#[derive(Clone)]
struct Shared {
    memory: Arc<dyn MemoryPool>,
    spill: Arc<Spill>,
    scalar: Vec<Arc<ScalarUDF>>,
    higher_order: Vec<Arc<HigherOrderUDF>>,
    aggregates: Vec<Arc<AggregateUDF>>,
    windows: Vec<Arc<WindowUDF>>,
}

impl Engine {
    /// `spill` takes what queries spill, and goes with them.
    pub(crate) fn new(spill: Spill) -> Self {
        let mut scalar: Vec<Arc<ScalarUDF>> = SessionStateDefaults::default_scalar_functions()
            .into_iter()
            .filter(|function| SCALAR.contains(&function.name()))
            .collect();
        scalar.extend(functions::scalar());
        let aggregates = SessionStateDefaults::default_aggregate_functions()
            .into_iter()
            .filter_map(|function| {
                let (_, names) = AGGREGATES.iter().find(|(name, _)| *name == function.name())?;
                Some(if ["max", "min"].contains(&function.name()) {
                    functions::with_numbers_first(function)
                } else if names.is_empty() {
                    function
                } else {
                    Arc::new(function.as_ref().clone().with_aliases(names.iter().copied()))
                })
            })
            .chain(functions::aggregate())
            .collect();
        Self {
            inner: Arc::new(Shared {
                memory: Arc::new(FairSpillPool::new(MEMORY)),
                spill: Arc::new(spill),
                scalar,
                higher_order: functions::higher_order(),
                aggregates,
                windows: SessionStateDefaults::default_window_functions(),
            }),
            zone: Zone::UTC,
        }
    }

    /// The same with further functions, for tests that bring their own.
    #[cfg(test)]
    pub fn extended(
        &self,
        scalar: Vec<Arc<ScalarUDF>>,
        higher_order: Vec<Arc<HigherOrderUDF>>,
    ) -> Self {
        let mut shared = self.inner.as_ref().clone();
        shared.scalar.extend(scalar);
        shared.higher_order.extend(higher_order);
        Self { inner: Arc::new(shared), zone: self.zone }
    }

    /// The engine with sessions of another zone.
    #[cfg(test)]
    pub fn in_zone(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    /// The names of all functions, with their kind, in order.
    pub fn function_names(&self) -> Vec<(String, &'static str)> {
        let shared = &self.inner;
        let mut names: Vec<(String, &'static str)> = shared
            .scalar
            .iter()
            .map(|function| (function.name().to_owned(), "scalar"))
            .chain(
                shared.higher_order.iter().map(|function| (function.name().to_owned(), "scalar")),
            )
            .chain(
                shared.aggregates.iter().map(|function| (function.name().to_owned(), "aggregate")),
            )
            .chain(shared.windows.iter().map(|function| (function.name().to_owned(), "window")))
            .filter(|(name, _)| !name.starts_with('$'))
            .collect();
        names.push(("now".to_owned(), "scalar"));
        let rewritten = super::rewrite::REWRITTEN_AGGREGATES;
        names.extend(rewritten.map(|name| (name.to_owned(), "aggregate")));
        names.sort();
        names.dedup();
        names
    }

    pub fn state(
        &self,
        stores: QueryStores,
        catalogs: Arc<dyn CatalogProviderList>,
        catalog: &str,
        schema: &str,
    ) -> Result<SessionState> {
        let shared = &self.inner;
        let disk = DiskManagerBuilder::default()
            .with_mode(DiskManagerMode::Directories(vec![shared.spill.folder().to_owned()]));
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(shared.memory.clone())
            .with_disk_manager_builder(disk)
            .with_object_store_registry(Arc::new(stores))
            .build_arc()?;
        let mut scalar = shared.scalar.clone();
        scalar.push(functions::now());
        let temporal = Temporal::new(&scalar, self.zone);
        let mut planners: Vec<Arc<dyn ExprPlanner>> =
            vec![Arc::new(TrinoOperators::new(&scalar, temporal.clone()))];
        planners.extend(SessionStateDefaults::default_expr_planners());
        let temporal = temporal.map(|rule| Arc::new(rule) as Arc<dyn AnalyzerRule + Send + Sync>);
        let mut analyzer: Vec<Arc<dyn AnalyzerRule + Send + Sync>> =
            vec![Arc::new(UnnestJoin), Arc::new(Multiset), Arc::new(Ties)];
        analyzer.extend(temporal.clone());
        analyzer.push(Arc::new(FloatLists));
        analyzer.push(Arc::new(Correlated));
        // What becomes of subqueries is compared by what they are compared by, and grouped as all else is.
        analyzer.extend(temporal);
        analyzer.push(Arc::new(Chance));
        analyzer.extend(Analyzer::new().rules);
        analyzer.push(Arc::new(HiddenKeys));
        Ok(SessionStateBuilder::new()
            .with_config(config(catalog, schema, self.zone))
            .with_runtime_env(runtime)
            .with_catalog_list(catalogs)
            .with_expr_planners(planners)
            .with_relation_planners(vec![Arc::new(UnnestRelation), Arc::new(UsingRelation)])
            .with_analyzer_rules(analyzer)
            .with_scalar_functions(scalar)
            .with_higher_order_functions(shared.higher_order.clone())
            .with_aggregate_functions(shared.aggregates.clone())
            .with_window_functions(shared.windows.clone())
            .with_physical_optimizer_rules(build_side::rules())
            .with_physical_optimizer_rule(Arc::new(GroupSizes))
            .with_physical_optimizer_rule(Arc::new(DenseGroups))
            .with_physical_optimizer_rule(Arc::new(JoinsYield))
            .build())
    }
}

fn config(catalog: &str, schema: &str, zone: Zone) -> SessionConfig {
    let streams = std::thread::available_parallelism().map_or(2, usize::from).clamp(1, STREAMS);
    let mut config = SessionConfig::new()
        .with_default_catalog_and_schema(catalog, schema)
        .with_create_default_catalog_and_schema(false)
        .with_information_schema(false)
        .with_batch_size(BATCH)
        .with_target_partitions(streams)
        .with_collect_statistics(false);
    let options = config.options_mut();
    "nulls_last".clone_into(&mut options.sql_parser.default_null_ordering);
    options.sql_parser.map_string_types_to_utf8view = false;
    options.sql_parser.parse_float_as_decimal = true;
    options.sql_parser.collect_spans = true;
    options.execution.parquet.schema_force_view_types = false;
    options.execution.parquet.coerce_int96 = Some("us".to_owned());
    options.execution.time_zone = Some(zone.name());
    options.execution.skip_physical_aggregate_schema_check = true;
    options.optimizer.repartition_file_min_size = 4 * 1024 * 1024;
    options.optimizer.hash_join_single_partition_threshold = SHARED;
    config
}

//! StartQueryExecution: what is refused while the caller waits, and what is put into the queue.

use std::time::Instant;

use lake::sql::{QueryContext, Statement, StatementKind, StatementType};
use lake::trino::Prepared;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::executions::{Class, Work};
use super::permission::Permission;
use super::prepared::PreparedStatement;
use super::query::{Answer, QueryExecution, State, Statistics};
use super::record::{Identity, Inserted};
use super::refusal::{constraint, invalid, read, syntax, too_many};
use super::result_location::ResultLocation;
use super::workgroup::{PRIMARY, WorkGroup};
use super::{Athena, now, reuse};
use crate::iam::{Caller, Need};
use crate::wire::ServiceError;

/// Bytes of UTF-8. Source: <https://docs.aws.amazon.com/athena/latest/ug/service-limits.html>
pub(super) const LONGEST_QUERY: usize = 262_144;
const TOKEN_LENGTHS: std::ops::RangeInclusive<usize> = 32..=128;
const LONGEST_PARAMETER: usize = 1024;

/// The catalog of a request that names none.
const CATALOG: &str = "awsdatacatalog";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StartQueryExecution {
    query_string: String,
    client_request_token: Option<String>,
    query_execution_context: Option<Context>,
    result_configuration: Option<Map<String, Value>>,
    work_group: Option<String>,
    execution_parameters: Option<Vec<String>>,
    result_reuse_configuration: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Context {
    database: Option<String>,
    catalog: Option<String>,
}

impl StartQueryExecution {
    /// The constraints of the API's model.
    fn check(&self) -> Result<(), ServiceError> {
        check_query(&self.query_string, "queryString")?;
        if let Some(token) = &self.client_request_token {
            let length = token.chars().count();
            if length < *TOKEN_LENGTHS.start() {
                let least = "Member must have length greater than or equal to 32";
                return Err(constraint(token, "clientRequestToken", least));
            }
            if length > *TOKEN_LENGTHS.end() {
                let most = "Member must have length less than or equal to 128";
                return Err(constraint(token, "clientRequestToken", most));
            }
        }
        let parameters = self.parameters();
        if let Some(parameter) = parameters
            .iter()
            .find(|text| text.is_empty() || text.chars().count() > LONGEST_PARAMETER)
        {
            let lengths = "Member must have length between 1 and 1024";
            return Err(constraint(parameter, "executionParameters", lengths));
        }
        Ok(())
    }

    fn parameters(&self) -> &[String] {
        self.execution_parameters.as_deref().unwrap_or_default()
    }

    /// Athena takes it between Hive's backticks too: awswrangler's `repair_table` sends it so.
    fn database(&self) -> Option<&str> {
        let given = self.query_execution_context.as_ref()?.database.as_deref()?;
        Some(given.strip_prefix('`').and_then(|name| name.strip_suffix('`')).unwrap_or(given))
    }

    fn catalog(&self) -> &str {
        let context = self.query_execution_context.as_ref();
        context.and_then(|context| context.catalog.as_deref()).unwrap_or(CATALOG)
    }

    /// What a token stands for: all of the request but the token.
    fn digest(&self) -> String {
        let request = json!([
            self.query_string,
            self.database(),
            self.catalog(),
            self.result_configuration,
            self.work_group,
            self.execution_parameters,
            self.result_reuse_configuration,
        ]);
        reuse::hex(&Sha256::digest(request.to_string()))
    }
}

/// A query's text is 1 to 262,144 bytes.
pub(super) fn check_query(query: &str, member: &str) -> Result<(), ServiceError> {
    if query.is_empty() {
        let least = "Member must have length greater than or equal to 1";
        return Err(constraint(query, member, least));
    }
    if query.len() > LONGEST_QUERY {
        let most = format!("Member must have length less than or equal to {LONGEST_QUERY}");
        return Err(constraint(query, member, &most));
    }
    Ok(())
}

/// A statement that may run, with what takes the place of its `?`.
struct Accepted {
    kind: StatementKind,
    task: Task,
}

enum Task {
    Run { statement: String, parameters: Vec<String> },
    Prepare { name: String, statement: String },
    Deallocate { name: String },
}

impl Athena {
    pub(super) fn start_query_execution(
        &self,
        caller: &Caller,
        input: Value,
    ) -> Result<Value, ServiceError> {
        let begun = Instant::now();
        let start: StartQueryExecution = read(input)?;
        start.check()?;
        let request = start.digest();
        let token = start.client_request_token.as_deref();
        let probe = Identity { token, request: &request, reuse: "" };
        if let Some(known) = self.executions.queries.known(&probe)? {
            return answer(known, "");
        }
        let group = self.work_group(start.work_group.as_deref().unwrap_or(PRIMARY))?;
        if !group.enabled {
            return Err(invalid(format!("WorkGroup {} is disabled.", group.name)));
        }
        let allowed_age = reuse::allowed_age(start.result_reuse_configuration.as_ref())?;
        self.admit_catalog(caller, start.catalog())?;
        let location = self.result_location(caller, &group, start.result_configuration.clone())?;
        let accepted = self.accept(&group, &start)?;
        let class = Class::of(accepted.kind);
        if self.executions.is_full(class) || !self.executions.may_start() {
            return Err(too_many());
        }
        let mut query = self.draft(&start, &group, &location, accepted.kind)?;
        let digest = reuse::digest(&query);
        if let Some(age) = allowed_age {
            self.reuse(&mut query, age, &digest)?;
        }
        query.statistics.preprocessing =
            i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX).max(1);
        let identity = Identity { token, request: &request, reuse: &digest };
        let inserted = self.executions.queries.insert(&query, &identity)?;
        if matches!(inserted, Inserted::New) && !query.state.is_final() {
            let is_ddl = accepted.kind.is_hive();
            let permission = Permission::of(self.link.services(), caller, is_ddl);
            let work = work(accepted.task, &query, &group, location);
            self.executions.launch(&query.id, class, work, permission);
        }
        answer(inserted, &query.id)
    }

    /// Whether a caller may use the catalog its names are of.
    fn admit_catalog(&self, caller: &Caller, name: &str) -> Result<(), ServiceError> {
        let Some(services) = self.link.services() else { return Ok(()) };
        // ARNs have it as AWS spells it.
        let name = if name.eq_ignore_ascii_case(CATALOG) { "AwsDataCatalog" } else { name };
        let arn = self.settings.arn("athena", &format!("datacatalog/{name}"));
        let allowed = services.authorise(caller, &Need::new("athena:GetDataCatalog", arn));
        allowed.map_err(|refusal| refusal.of_service("athena"))
    }

    /// Parses the statement, and finds what EXECUTE means.
    fn accept(
        &self,
        group: &WorkGroup,
        start: &StartQueryExecution,
    ) -> Result<Accepted, ServiceError> {
        let text = start.query_string.as_str();
        let (kind, statement) = Statement::parse(text, None).map_err(|error| syntax(&error))?;
        let parameters = start.parameters().to_vec();
        let task = match statement.prepared() {
            None => Task::Run { statement: text.to_owned(), parameters },
            Some(Prepared::Prepare { name, statement }) => {
                Statement::parse(statement, None).map_err(|error| syntax(&error))?;
                Task::Prepare { name: name.clone(), statement: statement.clone() }
            }
            Some(Prepared::Deallocate { name }) => {
                self.prepared_statement(&group.name, name)?;
                Task::Deallocate { name: name.clone() }
            }
            Some(Prepared::Execute { name, values }) => {
                let PreparedStatement { statement, .. } =
                    self.prepared_statement(&group.name, name)?;
                let parameters = if values.is_empty() { parameters } else { values.clone() };
                let (kind, _) =
                    Statement::parse(&statement, None).map_err(|error| syntax(&error))?;
                return Ok(Accepted { kind, task: Task::Run { statement, parameters } });
            }
        };
        Ok(Accepted { kind, task })
    }

    fn draft(
        &self,
        start: &StartQueryExecution,
        group: &WorkGroup,
        location: &ResultLocation,
        kind: StatementKind,
    ) -> Result<QueryExecution, ServiceError> {
        let id = Uuid::new_v4().to_string();
        let output = location.folder.join(&object_name(kind, &id)).to_string();
        Ok(QueryExecution {
            query: start.query_string.clone(),
            statement_type: kind.statement_type.as_str().to_owned(),
            substatement: kind.substatement.to_owned(),
            workgroup: group.name.clone(),
            selected_engine: group.selected_engine()?.to_owned(),
            database: start.database().map(str::to_owned),
            catalog: start.catalog().to_owned(),
            parameters: start.parameters().to_vec(),
            output_location: location.managed.is_none().then_some(output),
            result_configuration: location.configuration.clone(),
            managed_results: location.managed.clone(),
            result_reuse: start.result_reuse_configuration.clone(),
            state: State::Queued,
            reason: None,
            error: None,
            submitted: now(),
            started: None,
            completed: None,
            statistics: Statistics::default(),
            manifest: None,
            reused: false,
            answer: Answer::default(),
            owner: self.executions.owner.id.clone(),
            id,
        })
    }
}

/// The result object's name in the output folder.
fn object_name(kind: StatementKind, id: &str) -> String {
    match (kind.statement_type, kind.substatement) {
        (StatementType::Ddl, "CREATE_TABLE_AS_SELECT") => format!("tables/{id}"),
        (StatementType::Dml, "SELECT" | "UPDATE" | "DELETE" | "MERGE") => format!("{id}.csv"),
        (StatementType::Dml, "OPTIMIZE" | "VACUUM") => format!("{id}.txt"),
        (StatementType::Dml, _) => id.to_owned(),
        (StatementType::Ddl | StatementType::Utility, _) => format!("{id}.txt"),
    }
}

fn work(task: Task, query: &QueryExecution, group: &WorkGroup, location: ResultLocation) -> Work {
    let folder = location.folder;
    match task {
        Task::Run { statement, parameters } => Work::Run {
            statement,
            context: QueryContext {
                query_id: query.id.clone(),
                database: query.database.clone(),
                catalog: query.catalog.clone(),
                output_location: folder,
                parameters,
                enforced: group.enforces() || location.managed.is_some(),
                scan_limit: group.scan_limit(),
                meter: lake::store::Meter::default(),
            },
        },
        Task::Prepare { name, statement } => Work::Prepare {
            statement: PreparedStatement::new(&group.name, &name, statement, None),
            folder,
        },
        Task::Deallocate { name } => {
            Work::Deallocate { key: super::prepared::key(&group.name, &name), folder }
        }
    }
}

fn answer(inserted: Inserted, new: &str) -> Result<Value, ServiceError> {
    match inserted {
        Inserted::New => Ok(json!({"QueryExecutionId": new})),
        Inserted::Known(id) => Ok(json!({"QueryExecutionId": id})),
        Inserted::Mismatch => Err(invalid("Idempotent parameters do not match")),
    }
}

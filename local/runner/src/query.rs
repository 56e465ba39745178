//! Statements for the local Athena, and their rows.
use std::time::Duration;

use serde_json::{Value, json};

use crate::cloud::{CallError, Cloud};
use crate::cmd::{STACK, local_stack};
use crate::project::Project;
use crate::rows::{Column, Rows};
use crate::template::Kind;

/// Where statements run: the stack's database and workgroup where it is deployed.
#[derive(Clone, Debug)]
pub struct Context {
    pub database: String,
    work_group: String,
    output: Option<String>,
}

/// What a statement came to.
pub enum Answer {
    Rows(Rows),
    /// Athena's reason.
    Refused(String),
}

/// A query that succeeded.
#[derive(Clone, Debug)]
pub struct Finished {
    id: String,
    /// Whether its result begins with the columns' names.
    headed: bool,
    /// Whether it writes rows and answers none.
    writes: bool,
    pub milliseconds: u64,
    pub scanned_bytes: u64,
}

/// Rows of a result, maybe not all.
#[derive(Clone, Debug, Default)]
pub struct Fetched {
    pub rows: Rows,
    /// Of a statement that writes rows: how many.
    pub written: Option<u64>,
    pub is_whole: bool,
}

/// Runs a statement to its end.
pub async fn run(cloud: &Cloud, context: &Context, statement: &str) -> anyhow::Result<Answer> {
    let id = match start(cloud, context, statement).await {
        Ok(id) => id,
        Err(reason) => return Ok(Answer::Refused(reason)),
    };
    match finished(cloud, &id).await? {
        Ok(query) => Ok(Answer::Rows(fetch(cloud, &query, usize::MAX).await?.rows)),
        Err(reason) => Ok(Answer::Refused(reason)),
    }
}

/// Starts a query: its id, or why there is none.
pub async fn start(cloud: &Cloud, context: &Context, statement: &str) -> Result<String, String> {
    let mut input = json!({
        "QueryString": statement,
        "QueryExecutionContext": {"Database": context.database},
        "WorkGroup": context.work_group,
    });
    if let Some(output) = &context.output {
        input["ResultConfiguration"] = json!({"OutputLocation": output});
    }
    match cloud.call("athena", "StartQueryExecution", input).await {
        Ok(started) => Ok(started["QueryExecutionId"].as_str().unwrap_or_default().to_owned()),
        Err(CallError { error, .. }) => Err(error.message),
    }
}

/// Asks a query to end; one that has ended stays as it is.
pub async fn stop(cloud: &Cloud, id: &str) -> anyhow::Result<()> {
    cloud.call("athena", "StopQueryExecution", json!({"QueryExecutionId": id})).await?;
    Ok(())
}

/// Of the stack where it is deployed, else Athena's own.
pub async fn context(cloud: &Cloud) -> anyhow::Result<Context> {
    let stack = Project::find().ok().and_then(|project| local_stack(&project).ok());
    let named = |kind| {
        let resources = stack.iter().flat_map(|stack| &stack.resources);
        resources
            .into_iter()
            .find(|resource| resource.kind == kind)
            .map(|resource| resource.identity.name.clone())
    };
    let (work_group, database) = (named(Kind::WorkGroup), named(Kind::Database));
    if let (Some(work_group), Some(database)) = (work_group, database) {
        let deployed =
            cloud.call("athena", "GetWorkGroup", json!({"WorkGroup": work_group})).await.is_ok()
                && cloud.call("glue", "GetDatabase", json!({"Name": database})).await.is_ok();
        if deployed {
            return Ok(Context { database, work_group, output: None });
        }
    }
    let bucket = results_bucket(cloud).await?;
    Ok(Context {
        database: "default".to_owned(),
        work_group: "primary".to_owned(),
        output: Some(format!("s3://{bucket}/")),
    })
}

/// The bucket of what no stack keeps, made where it is missing.
pub async fn results_bucket(cloud: &Cloud) -> anyhow::Result<String> {
    let bucket = format!("{STACK}-sql");
    let made = cloud.s3(http::Method::PUT, &format!("/{bucket}"), "").await;
    match made {
        Err(error) if error.code() != "BucketAlreadyOwnedByYou" => Err(error.into()),
        _ => Ok(bucket),
    }
}

/// Waits for a query's end; where it did not succeed, Athena's reason.
pub async fn finished(cloud: &Cloud, id: &str) -> anyhow::Result<Result<Finished, String>> {
    let mut pause = Duration::from_millis(2);
    loop {
        let answer =
            cloud.call("athena", "GetQueryExecution", json!({"QueryExecutionId": id})).await?;
        let execution = &answer["QueryExecution"];
        let statistic = |name: &str| execution["Statistics"][name].as_u64().unwrap_or_default();
        match execution["Status"]["State"].as_str() {
            Some("QUEUED" | "RUNNING") => {}
            Some("SUCCEEDED") => {
                return Ok(Ok(Finished {
                    id: id.to_owned(),
                    headed: execution["StatementType"] == "DML",
                    writes: execution["SubstatementType"].as_str().is_some_and(writes),
                    milliseconds: statistic("TotalExecutionTimeInMillis"),
                    scanned_bytes: statistic("DataScannedInBytes"),
                }));
            }
            _ => {
                let reason = execution["Status"]["StateChangeReason"].as_str();
                return Ok(Err(reason.unwrap_or("the query was cancelled").to_owned()));
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// Whether statements of this kind write rows. As `GetQueryExecution` names them.
fn writes(substatement: &str) -> bool {
    matches!(
        substatement,
        "INSERT" | "CREATE_TABLE_AS_SELECT" | "UNLOAD" | "UPDATE" | "DELETE" | "MERGE"
    )
}

/// How many rows a finished query's result has, or it has written.
pub async fn count(cloud: &Cloud, query: &Finished) -> anyhow::Result<u64> {
    let id = json!({"QueryExecutionId": query.id});
    let answer = cloud.call("athena", "GetQueryRuntimeStatistics", id).await?;
    let rows = answer.pointer("/QueryRuntimeStatistics/Rows/OutputRows").and_then(Value::as_u64);
    Ok(rows.unwrap_or_default())
}

/// Names and types of a result's columns. Of nested types only the outer name is told: `array`, `map`, `row`.
pub async fn types(cloud: &Cloud, query: &Finished) -> anyhow::Result<Vec<(String, String)>> {
    let input = json!({"QueryExecutionId": query.id, "MaxResults": 1});
    let page = cloud.call("athena", "GetQueryResults", input).await?;
    let columns = page.pointer("/ResultSet/ResultSetMetadata/ColumnInfo").and_then(Value::as_array);
    let columns = columns.into_iter().flatten().map(|info| {
        let Column { name, kind } = Column::of(info);
        let kind = match kind.as_str() {
            "decimal" => format!("decimal({}, {})", info["Precision"], info["Scale"]),
            _ => kind,
        };
        (name, kind)
    });
    Ok(columns.collect())
}

/// The first rows of a result, at most so many. Athena sends a SELECT's header as its first row, and none for DDL.
pub async fn fetch(cloud: &Cloud, query: &Finished, most: usize) -> anyhow::Result<Fetched> {
    let mut fetched = Fetched::default();
    let mut input = json!({"QueryExecutionId": query.id, "MaxResults": 1000});
    let mut first = true;
    loop {
        let page = cloud.call("athena", "GetQueryResults", input.clone()).await?;
        let set = &page["ResultSet"];
        if first {
            let columns = set.pointer("/ResultSetMetadata/ColumnInfo").and_then(Value::as_array);
            fetched.rows.columns = columns.into_iter().flatten().map(Column::of).collect();
            fetched.written = page["UpdateCount"].as_u64().filter(|_| query.writes);
        }
        let skip = usize::from(first && query.headed);
        for row in set["Rows"].as_array().into_iter().flatten().skip(skip) {
            if fetched.rows.rows.len() == most {
                return Ok(fetched);
            }
            let cells = row["Data"].as_array().into_iter().flatten();
            let cells = cells.map(|cell| cell["VarCharValue"].as_str().map(str::to_owned));
            fetched.rows.rows.push(cells.collect());
        }
        first = false;
        let Some(Value::String(token)) = page.get("NextToken") else {
            fetched.is_whole = true;
            return Ok(fetched);
        };
        input["NextToken"] = json!(token);
    }
}

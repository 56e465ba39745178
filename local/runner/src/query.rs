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

/// Runs a statement to its end.
pub async fn run(cloud: &Cloud, context: &Context, statement: &str) -> anyhow::Result<Answer> {
    let mut input = json!({
        "QueryString": statement,
        "QueryExecutionContext": {"Database": context.database},
        "WorkGroup": context.work_group,
    });
    if let Some(output) = &context.output {
        input["ResultConfiguration"] = json!({"OutputLocation": output});
    }
    let started = match cloud.call("athena", "StartQueryExecution", input).await {
        Ok(started) => started,
        Err(CallError { error, .. }) => return Ok(Answer::Refused(error.message)),
    };
    let id = started["QueryExecutionId"].as_str().unwrap_or_default().to_owned();
    let execution = finished(cloud, &id).await?;
    if execution["Status"]["State"] != "SUCCEEDED" {
        let reason = execution["Status"]["StateChangeReason"].as_str();
        return Ok(Answer::Refused(reason.unwrap_or("the query was cancelled").to_owned()));
    }
    results(cloud, &id, execution["StatementType"] == "DML").await.map(Answer::Rows)
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
    let bucket = format!("{STACK}-sql");
    match cloud.s3(http::Method::PUT, &format!("/{bucket}"), "").await {
        Err(error) if error.code() != "BucketAlreadyOwnedByYou" => return Err(error.into()),
        _ => {}
    }
    Ok(Context {
        database: "default".to_owned(),
        work_group: "primary".to_owned(),
        output: Some(format!("s3://{bucket}/")),
    })
}

async fn finished(cloud: &Cloud, id: &str) -> anyhow::Result<Value> {
    let mut pause = Duration::from_millis(2);
    loop {
        let mut answer =
            cloud.call("athena", "GetQueryExecution", json!({"QueryExecutionId": id})).await?;
        let execution = answer["QueryExecution"].take();
        if !matches!(execution["Status"]["State"].as_str(), Some("QUEUED" | "RUNNING")) {
            return Ok(execution);
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}

/// All pages of a result. Athena sends a SELECT's header as its first row, and none for DDL.
async fn results(cloud: &Cloud, id: &str, headed: bool) -> anyhow::Result<Rows> {
    let mut rows = Rows::default();
    let mut input = json!({"QueryExecutionId": id, "MaxResults": 1000});
    let mut first = true;
    loop {
        let page = cloud.call("athena", "GetQueryResults", input.clone()).await?;
        let set = &page["ResultSet"];
        if first {
            let columns = set
                .pointer("/ResultSetMetadata/ColumnInfo")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            rows.columns = columns.map(Column::of).collect();
        }
        let skip = usize::from(first && headed);
        for row in set["Rows"].as_array().into_iter().flatten().skip(skip) {
            let cells = row["Data"].as_array().into_iter().flatten();
            rows.rows
                .push(cells.map(|cell| cell["VarCharValue"].as_str().map(str::to_owned)).collect());
        }
        first = false;
        match page.get("NextToken") {
            Some(Value::String(token)) => input["NextToken"] = json!(token),
            _ => return Ok(rows),
        }
    }
}

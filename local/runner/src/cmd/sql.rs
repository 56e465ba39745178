//! `local sql`
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::STACK;
use crate::cloud::{Address, CallError, Cloud};
use crate::project::Project;
use crate::rows::{Column, Format, Rows};
use crate::template::Kind;

#[derive(clap::Args)]
pub struct Arguments {
    /// The statement, as Athena takes it
    statement: String,
    /// Where the local account keeps its state
    #[arg(long, value_name = "DIR", default_value = ".local")]
    data_dir: PathBuf,
    #[arg(long, value_enum, default_value = "table")]
    format: Format,
}

/// Where statements run: the stack's database and workgroup where it is deployed.
struct Context {
    database: String,
    work_group: String,
    output: Option<String>,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<u8> {
    let cloud = Cloud::open(&arguments.data_dir, &Address::default(), |_| None).await?;
    let context = context(&cloud).await?;
    let mut input = json!({
        "QueryString": arguments.statement,
        "QueryExecutionContext": {"Database": context.database},
        "WorkGroup": context.work_group,
    });
    if let Some(output) = context.output {
        input["ResultConfiguration"] = json!({"OutputLocation": output});
    }
    let started = match cloud.call("athena", "StartQueryExecution", input).await {
        Ok(started) => started,
        Err(CallError { error, .. }) => return refuse(&error.message, &arguments.statement),
    };
    let id = started["QueryExecutionId"].as_str().unwrap_or_default().to_owned();
    let execution = finished(&cloud, &id).await?;
    if execution["Status"]["State"] != "SUCCEEDED" {
        let reason =
            execution["Status"]["StateChangeReason"].as_str().unwrap_or("the query was cancelled");
        return refuse(reason, &arguments.statement);
    }
    let rows = results(&cloud, &id, execution["StatementType"] == "DML").await?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match rows.write(arguments.format, &mut out) {
        // The reader of a pipe may have had enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(0),
        written => written.map(|()| 0).context("standard output cannot be written"),
    }
}

/// Says what is wrong, with a caret below the place where the message names one.
fn refuse(message: &str, statement: &str) -> anyhow::Result<u8> {
    eprintln!("error: {message}");
    let place = message.split("line ").skip(1).find_map(|rest| {
        let (line, rest) = rest.split_once(':')?;
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        Some((line.parse::<usize>().ok()?, digits.parse::<usize>().ok()?))
    });
    if let Some((line, column)) = place
        && let Some(text) = statement.lines().nth(line.saturating_sub(1))
    {
        eprintln!("  {text}\n  {}^", " ".repeat(column.saturating_sub(1)));
    }
    Ok(1)
}

async fn context(cloud: &Cloud) -> anyhow::Result<Context> {
    let stack = Project::find().ok().and_then(|project| super::local_stack(&project).ok());
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

//! A rehearsal of everything the stack can do, with a record of who called what: all triggers, months that are loaded,
//! redone and refused, a run that is stopped, a query that is stopped, calls whose answers were lost, what has grown
//! old, alarms, and triggers that find nobody.
//!
//! It knows the template and the shapes of the TLC's files, and nothing of how months are loaded.
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use aws::iam::Caller;
use aws::iam::record::{Call, Tally};
use http::Method;
use serde_json::{Value, json};

use super::source::Months;
use crate::cloud::{Address, Cloud};
use crate::deploy;
use crate::origin::{From, Origin};
use crate::run::executions::StepFunctions;
use crate::run::{self, Progress, Selection, arrivals, conduct};
use crate::template::{Kind, Stack, StateMachine, Trigger};

/// Older than anything is kept.
const AGE: Duration = Duration::from_hours(24 * 90);
/// Nothing here takes so long.
const PATIENCE: Duration = Duration::from_mins(2);
const LOOK: Duration = Duration::from_millis(20);

/// A deployed stack, its months, and where they come from.
struct Stage {
    cloud: Cloud,
    stack: Stack,
    origin: Origin,
    months: Months,
    _data: tempfile::TempDir,
}

/// Rehearses a template. `binaries` is the folder of its functions. Answers the stack as it was deployed and all calls.
pub async fn rehearse(
    template: &Path,
    binaries: &Path,
) -> anyhow::Result<(Stack, Vec<(Call, Tally)>)> {
    let mut stage = Stage::set(template, binaries).await?;
    stage.load().await?;
    stage.months.mend()?;
    stage.redo().await?;
    stage.stop_a_run().await?;
    stage.stop_queries().await?;
    stage.lose_writes().await?;
    stage.grow_old().await?;
    stage.raise_alarms().await?;
    stage.fail_unheard().await?;
    stage.find_nobody().await?;
    let calls = stage.cloud.services().iam().record.calls();
    Ok((stage.stack, calls))
}

impl Stage {
    async fn set(template: &Path, binaries: &Path) -> anyhow::Result<Self> {
        let data = tempfile::tempdir()?;
        let folder = data.path().join("months");
        let months = Months::write(&folder)?;
        let cloud = Cloud::open(&data.path().join("data"), &Address::default(), |_| None).await?;
        cloud.services().iam().record.start();
        let origin = Origin::start(&From::Dir(folder), data.path(), |_, _| true).await?;
        let mut parameters = origin.parameters();
        parameters.insert("ScheduleState".to_owned(), "DISABLED".to_owned());
        // A month that fails is tried again, but is not waited for for long.
        parameters.insert("MaxAttempts".to_owned(), "2".to_owned());
        let stack = Stack::read(template, &parameters, cloud.account("rehearsal"))
            .context("the template has problems")?;
        deploy::deploy(&stack, &cloud, binaries).await?;
        Ok(Stage { cloud, stack, origin, months, _data: data })
    }

    fn machine(&self) -> anyhow::Result<&StateMachine> {
        let first = self.stack.state_machines().next();
        first.map(|(_, machine)| machine).context("the template has no state machine")
    }

    fn step_functions(&self) -> StepFunctions<'_> {
        StepFunctions(self.cloud.services())
    }

    async fn watch(&self, arn: &str, title: &str) -> anyhow::Result<()> {
        Ok(run::watch(self.step_functions(), arn, title, &mut Progress::new()).await?)
    }

    /// By hand, and by an arrival.
    async fn load(&self) -> anyhow::Result<()> {
        conduct(&self.cloud, &self.stack, &self.origin, &Selection::default()).await?;
        let machine = &self.machine()?.arn;
        let known = self.step_functions().of_machine(machine).await?;
        self.arrive(&self.months.arriving()?).await?;
        let started = run::arrived(self.step_functions(), machine, &known).await?;
        self.watch(&started.context("the arrival started nothing")?, "arrival").await
    }

    async fn arrive(&self, file: &Path) -> anyhow::Result<()> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let place = format!("/{}/arrivals/{name}", arrivals(&self.stack));
        Ok(self.cloud.s3(Method::PUT, &place, std::fs::read(file)?).await?)
    }

    /// By the schedule, which finds a month with other rows.
    async fn redo(&self) -> anyhow::Result<()> {
        self.months.redo(1_000)?;
        self.fire().await
    }

    async fn fire(&self) -> anyhow::Result<()> {
        let machine = self.machine()?;
        let schedules = machine.events.iter().filter(|event| event.trigger == Trigger::Schedule);
        for event in schedules {
            let started = self.cloud.services().scheduler().fire(&event.identity.name).await?;
            let arn = started["executionArn"].as_str().unwrap_or_default().to_owned();
            self.watch(&arn, "schedule").await?;
        }
        Ok(())
    }

    /// A run is stopped while a query of it waits, which has to be stopped with it, and redriven.
    async fn stop_a_run(&self) -> anyhow::Result<()> {
        let blockers = [self.endless(&Caller::Root).await?, self.endless(&Caller::Root).await?];
        // They wait for a moment themselves.
        self.until("the blockers run", async || Ok(!self.has_query("QUEUED").await?)).await?;
        self.months.redo(1_500)?;
        let input = json!({"trigger": "schedule"});
        let arn = self.step_functions().start(&self.machine()?.arn, &input).await?;
        self.until("a query waits", || self.has_query("QUEUED")).await?;
        self.step_functions().stop(&arn, "rehearsed").await?;
        self.watch(&arn, "stopped").await?;
        self.until("no query waits", async || Ok(!self.has_query("QUEUED").await?)).await?;
        for id in blockers {
            self.cloud
                .call("athena", "StopQueryExecution", json!({"QueryExecutionId": id}))
                .await?;
        }
        self.cloud.call("states", "RedriveExecution", json!({"executionArn": arn})).await?;
        self.watch(&arn, "redriven").await
    }

    /// Queries of the machine's role are stopped while they write, one its result, one a table.
    async fn stop_queries(&self) -> anyhow::Result<()> {
        let role = &self.machine()?.role_arn;
        let caller = Caller::role(role, "rehearsal");
        let id = self.endless(&caller).await?;
        let result = self.stop_writing(&caller, &id, &id).await?;
        if let Some((database, folder)) = self.beside_a_table(role, &result) {
            let sql = format!(
                "CREATE TABLE \"{database}\".rehearsal WITH (external_location = 's3://{folder}/') AS {}",
                many_rows("t0.x")
            );
            let id = self.query(&caller, &sql).await?;
            self.stop_writing(&caller, &id, &folder).await?;
        }
        Ok(())
    }

    /// Stops a query once it writes an object with `part` in its name. Answers the object's ARN.
    async fn stop_writing(&self, caller: &Caller, id: &str, part: &str) -> anyhow::Result<String> {
        let find = |action: &str| {
            let mut calls = self.calls().into_iter();
            calls.find(|call| call.action == action && call.resource.contains(part))
        };
        self.until("the query writes", async || Ok(find("s3:PutObject").is_some())).await?;
        let input = json!({"QueryExecutionId": id});
        self.cloud.services().dispatch_as(caller, "athena", "StopQueryExecution", input).await?;
        self.until(
            "the upload is given up",
            async || Ok(find("s3:AbortMultipartUpload").is_some()),
        )
        .await?;
        Ok(find("s3:PutObject").map(|call| call.resource).unwrap_or_default())
    }

    /// The database of a table that the role created, and a new folder beside one that it wrote data to, which is in
    /// another bucket than the results.
    fn beside_a_table(&self, role: &str, result: &str) -> Option<(String, String)> {
        let bucket = result.split('/').next()?;
        let calls = self.calls();
        let mut own = calls.iter().filter(|call| call.principal == role);
        let database = own.clone().find_map(|call| {
            let (_, table) = call.resource.split_once(":table/")?;
            (call.action == "glue:CreateTable").then(|| table.split('/').next())?
        })?;
        let folder = own.find_map(|call| {
            let place = call.resource.strip_prefix("arn:aws:s3:::")?;
            let is_data =
                call.action == "s3:PutObject" && call.resource.split('/').next()? != bucket;
            is_data.then(|| place.rsplit_once('/'))?
        })?;
        Some((database.to_owned(), format!("{}0", folder.0)))
    }

    /// A query that would take days.
    async fn endless(&self, caller: &Caller) -> anyhow::Result<String> {
        self.query(caller, &many_rows("sum(t0.x * t13.x)")).await
    }

    /// Starts a query in the stack's workgroup.
    async fn query(&self, caller: &Caller, sql: &str) -> anyhow::Result<String> {
        let input = json!({"QueryString": sql, "WorkGroup": self.workgroup()});
        let services = self.cloud.services();
        let started = services.dispatch_as(caller, "athena", "StartQueryExecution", input).await?;
        Ok(started["QueryExecutionId"].as_str().unwrap_or_default().to_owned())
    }

    fn workgroup(&self) -> &str {
        let found = self.stack.resources.iter().find(|found| found.kind == Kind::WorkGroup);
        found.map_or("primary", |found| found.identity.name.as_str())
    }

    async fn has_query(&self, state: &str) -> anyhow::Result<bool> {
        let listed = self
            .cloud
            .call("athena", "ListQueryExecutions", json!({"WorkGroup": self.workgroup()}))
            .await?;
        let input = json!({"QueryExecutionIds": listed["QueryExecutionIds"]});
        let found = self.cloud.call("athena", "BatchGetQueryExecution", input).await?;
        let mut queries = found["QueryExecutions"].as_array().into_iter().flatten();
        Ok(queries.any(|query| query["Status"]["State"] == state))
    }

    /// What the functions wrote is lost, and each gets its events again, as after a lost answer.
    async fn lose_writes(&self) -> anyhow::Result<()> {
        let roles: Vec<&str> =
            self.stack.functions().map(|(_, function)| function.role_arn.as_str()).collect();
        let written: BTreeSet<String> = self
            .calls()
            .into_iter()
            .filter(|call| {
                call.action == "s3:PutObject" && roles.contains(&call.principal.as_str())
            })
            .filter_map(|call| call.resource.strip_prefix("arn:aws:s3:::").map(str::to_owned))
            .collect();
        let mut events = BTreeSet::new();
        for execution in self.executions().await? {
            for event in self.step_functions().history(&execution).await? {
                let task = &event["taskScheduledEventDetails"];
                if task["resourceType"] == "lambda" {
                    events.extend(task["parameters"].as_str().map(str::to_owned));
                }
            }
        }
        for place in written {
            self.cloud.s3(Method::DELETE, &format!("/{place}"), "").await?;
        }
        for event in events {
            let task: Value = serde_json::from_str(&event)?;
            self.cloud.services().lambda().invoke_json(&task, None).await?;
        }
        Ok(())
    }

    async fn executions(&self) -> anyhow::Result<Vec<String>> {
        let mut all = Vec::new();
        for execution in self.step_functions().of_machine(&self.machine()?.arn).await? {
            all.extend(self.step_functions().children(&execution).await?);
            all.push(execution);
        }
        Ok(all)
    }

    /// What failed runs left behind has become old.
    async fn grow_old(&self) -> anyhow::Result<()> {
        self.cloud.services().lake().age(AGE)?;
        self.months.redo(1_800)?;
        self.fire().await
    }

    async fn raise_alarms(&self) -> anyhow::Result<()> {
        for alarm in self.stack.resources.iter().filter(|resource| resource.kind == Kind::Alarm) {
            let input = json!({
                "AlarmName": alarm.identity.name,
                "StateValue": "ALARM",
                "StateReason": "rehearsed",
            });
            self.cloud.call("monitoring", "SetAlarmState", input).await?;
        }
        Ok(())
    }

    /// Functions with an environment that means nothing fail on events nobody waits for, which become dead letters.
    async fn fail_unheard(&self) -> anyhow::Result<()> {
        let has_letters = |properties: &Value| properties.get("DeadLetterQueue").is_some();
        for (_, function) in
            self.stack.functions().filter(|(_, function)| has_letters(&function.properties))
        {
            let variables: BTreeMap<&str, &str> =
                function.environment.keys().map(|name| (name.as_str(), "nonsense")).collect();
            let broken = json!({
                "FunctionName": function.name,
                "Environment": {"Variables": variables},
            });
            self.cloud.call("lambda", "UpdateFunctionConfiguration", broken).await?;
            let once = json!({"FunctionName": function.name, "MaximumRetryAttempts": 0});
            self.cloud.call("lambda", "PutFunctionEventInvokeConfig", once).await?;
            let event =
                json!({"FunctionName": function.name, "InvocationType": "Event", "Payload": []});
            self.cloud.services().lambda().invoke_json(&event, None).await?;
            let is_sent = |call: &Call| {
                call.principal == function.role_arn
                    && ["sqs:SendMessage", "sns:Publish"].contains(&call.action.as_str())
            };
            let what = format!("{} sends a dead letter", function.name);
            self.until(&what, async || Ok(self.calls().iter().any(is_sent))).await?;
        }
        Ok(())
    }

    /// The machine's logs are changed, then the machine is gone: its triggers write dead letters.
    async fn find_nobody(&mut self) -> anyhow::Result<()> {
        let machine = self.machine()?.clone();
        let named = json!({"stateMachineArn": machine.arn});
        let known = self.cloud.call("states", "DescribeStateMachine", named.clone()).await?;
        let mut logging = known["loggingConfiguration"].clone();
        logging["level"] = "ALL".into();
        let update = json!({"stateMachineArn": machine.arn, "loggingConfiguration": logging});
        self.cloud.call("states", "UpdateStateMachine", update).await?;
        self.cloud.call("states", "DeleteStateMachine", named).await?;
        let letters = letters(&machine);
        for event in machine.events.iter().filter(|event| event.trigger == Trigger::Schedule) {
            let fired = self.cloud.services().scheduler().fire(&event.identity.name).await;
            anyhow::ensure!(fired.is_err(), "a machine that is gone was started");
        }
        if machine.events.iter().any(|event| event.trigger == Trigger::Rule) {
            self.arrive(&self.months.arriving()?).await?;
        }
        let sent = |principal: &str| {
            let calls = self.calls();
            calls.iter().any(|call| {
                call.action == "sqs:SendMessage"
                    && letters.contains(&call.resource)
                    && call.principal == principal
            })
        };
        if !letters.is_empty() {
            self.until("EventBridge has given up", async || Ok(sent("events.amazonaws.com")))
                .await?;
        }
        Ok(())
    }

    fn calls(&self) -> Vec<Call> {
        let calls = self.cloud.services().iam().record.calls();
        calls.into_iter().map(|(call, _)| call).collect()
    }

    async fn until(
        &self,
        what: &str,
        mut is_so: impl AsyncFnMut() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let end = Instant::now() + PATIENCE;
        while !is_so().await? {
            anyhow::ensure!(Instant::now() < end, "not in {} s: {what}", PATIENCE.as_secs());
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }
}

/// A SELECT of 10^14 rows.
fn many_rows(columns: &str) -> String {
    let ten = "SELECT * FROM (VALUES (1), (2), (3), (4), (5), (6), (7), (8), (9), (10)) AS d(x)";
    let tables: Vec<String> = (0..14).map(|at| format!("t t{at}")).collect();
    format!("WITH t AS ({ten}) SELECT {columns} FROM {}", tables.join(", "))
}

/// Where the machine's triggers put what nobody took.
fn letters(machine: &StateMachine) -> Vec<String> {
    let queues = machine.events.iter().filter_map(|event| {
        let arn = event.properties.pointer("/DeadLetterConfig/Arn")?.as_str()?;
        (event.trigger == Trigger::Rule).then(|| arn.to_owned())
    });
    queues.collect()
}

//! Lambda: functions are real binaries of this machine, run as processes over the Lambda Runtime API.
//!
//! One local extension: a function's `Code` is a path, either `{"LocalPath": "/…/bootstrap"}` or, for clients that
//! send only what AWS's model knows, `{"S3Bucket": "hot-reload", "S3Key": "/…/bootstrap"}`.

mod asynchronous;
mod control;
mod credential;
mod function;
mod instance;
mod invocation;
mod permission;
mod pool;
mod process;
mod reaper;
mod rest;
mod runtime_api;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::logs::Logs;
use crate::metering::Meters;
use crate::services::Link;
use crate::stand_in::Functions;
use crate::wire::ServiceError;
use crate::xray::XRay;
use crate::{Settings, collection::Collection};

pub use function::{Function, FunctionName};
pub use instance::Ending;
pub use invocation::Answer;
use pool::Pool;

/// The Lambda service.
pub struct Lambda {
    settings: Arc<Settings>,
    functions: Collection<Function>,
    /// Statements of functions' own policies, by function.
    permissions: Collection<Vec<Value>>,
    pool: Arc<Pool>,
    link: Link,
}

impl Lambda {
    pub fn open(
        lake: &lake::Lake,
        settings: Arc<Settings>,
        logs: Arc<Logs>,
        meters: Arc<Meters>,
        xray: Arc<XRay>,
        link: Link,
        stand_in: Option<Arc<dyn Functions>>,
    ) -> Result<Self, ServiceError> {
        Ok(Lambda {
            functions: Collection::open(lake.database(), "lambda/function")?,
            permissions: Collection::open(lake.database(), "lambda/permission")?,
            pool: Arc::new(Pool::new(settings.clone(), logs, meters, xray, link.clone(), stand_in)),
            settings,
            link,
        })
    }

    /// Every action but `Invoke`, which has bytes for input and output: see [`Lambda::invoke`].
    pub fn operation(&self, action: &str, input: Value) -> Result<Value, ServiceError> {
        match action {
            "CreateFunction" => self.create_function(input),
            "GetFunction" => self.get_function(&input),
            "GetFunctionConfiguration" => Ok(self.named(&input)?.configuration()),
            "ListFunctions" => self.list_functions(&input),
            "UpdateFunctionCode" => self.update_function_code(&input),
            "UpdateFunctionConfiguration" => self.update_function_configuration(&input),
            "DeleteFunction" => self.delete_function(&input),
            "PutFunctionConcurrency" => self.put_function_concurrency(&input),
            "GetFunctionConcurrency" => {
                let reserved = self.named(&input)?.reserved_concurrency;
                Ok(reserved
                    .map_or(json!({}), |count| json!({"ReservedConcurrentExecutions": count})))
            }
            "DeleteFunctionConcurrency" => self.change(&input, |function| {
                function.reserved_concurrency = None;
                Ok(Value::Null)
            }),
            "PutFunctionEventInvokeConfig" => self.put_event_invoke_config(&input),
            "AddPermission" => self.add_permission(&input),
            "RemovePermission" => self.remove_permission(&input),
            "GetPolicy" => self.get_policy(&input),
            "ListTags" => self.list_tags(&input),
            _ => Err(ServiceError::unknown_operation("Lambda", action)),
        }
    }

    /// Invocations that have not ended.
    pub fn at_work(&self) -> usize {
        self.pool.at_work()
    }
}

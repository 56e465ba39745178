//! Functions as they are configured: what `CreateFunction` stores and `GetFunction` shows.

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine as _;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::Settings;
use crate::wire::ServiceError;

/// A function of this account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Function {
    pub name: String,
    pub arn: String,
    pub binary: PathBuf,
    pub role: String,
    pub runtime: String,
    pub handler: String,
    pub description: String,
    /// Seconds, 1–900.
    pub timeout: u64,
    /// MiB, 128–10,240.
    pub memory_size: u64,
    pub environment: BTreeMap<String, String>,
    pub architectures: Vec<String>,
    pub log_group: String,
    pub dead_letter_arn: Option<String>,
    pub reserved_concurrency: Option<usize>,
    /// `TracingConfig: {Mode: Active}`
    #[serde(default)]
    pub traced: bool,
    /// Attempts after the first of an asynchronous invocation.
    pub retry_attempts: u32,
    pub tags: BTreeMap<String, String>,
    pub last_modified: Timestamp,
    /// New at every change: instances of another revision are not reused.
    pub revision: String,
    code_sha256: String,
    code_size: u64,
}

impl Function {
    /// A new function with Lambda's defaults, still without code.
    pub(super) fn new(name: String, role: String, settings: &Settings) -> Self {
        Function {
            arn: settings.arn("lambda", &format!("function:{name}")),
            log_group: format!("/aws/lambda/{name}"),
            binary: PathBuf::new(),
            role,
            runtime: "provided.al2023".to_owned(),
            handler: "bootstrap".to_owned(),
            description: String::new(),
            timeout: 3,
            memory_size: 128,
            environment: BTreeMap::new(),
            architectures: vec!["x86_64".to_owned()],
            dead_letter_arn: None,
            reserved_concurrency: None,
            traced: false,
            retry_attempts: 2,
            tags: BTreeMap::new(),
            last_modified: lake::clock::now(),
            revision: Uuid::new_v4().to_string(),
            code_sha256: String::new(),
            code_size: 0,
            name,
        }
    }

    /// `FunctionConfiguration` of the API.
    pub fn configuration(&self) -> Value {
        json!({
            "FunctionName": self.name,
            "FunctionArn": self.arn,
            "Runtime": self.runtime,
            "Role": self.role,
            "Handler": self.handler,
            "CodeSize": self.code_size,
            "Description": self.description,
            "Timeout": self.timeout,
            "MemorySize": self.memory_size,
            "LastModified": self.last_modified.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string(),
            "CodeSha256": self.code_sha256,
            "Version": "$LATEST",
            "Environment": {"Variables": self.environment},
            "DeadLetterConfig": self.dead_letter_arn.as_ref().map(|arn| json!({"TargetArn": arn})),
            "TracingConfig": {"Mode": if self.traced { "Active" } else { "PassThrough" }},
            "RevisionId": self.revision,
            "State": "Active",
            "LastUpdateStatus": "Successful",
            "PackageType": "Zip",
            "Architectures": self.architectures,
            "EphemeralStorage": {"Size": 512},
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": self.log_group},
        })
    }

    pub(super) fn set_code(&mut self, code: &Code) -> Result<(), ServiceError> {
        let path = code.path()?;
        let bytes = std::fs::read(&path).map_err(|error| {
            ServiceError::new(
                "InvalidParameterValueException",
                format!("the code {} cannot be read: {error}", path.display()),
            )
        })?;
        self.code_size = bytes.len() as u64;
        self.code_sha256 = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(&bytes));
        self.binary = path;
        Ok(())
    }

    pub(super) fn touch(&mut self) {
        self.revision = Uuid::new_v4().to_string();
        self.last_modified = lake::clock::now();
    }

    pub(super) fn configure(&mut self, change: Configuration) -> Result<(), ServiceError> {
        if let Some(timeout) = change.timeout {
            self.timeout = within("timeout", timeout, 1, 900)?;
        }
        if let Some(memory) = change.memory_size {
            self.memory_size = within("memorySize", memory, 128, 10_240)?;
        }
        if let Some(environment) = change.environment {
            self.environment = environment.variables;
        }
        if let Some(dead_letters) = change.dead_letter_config {
            self.dead_letter_arn = dead_letters.target_arn.filter(|arn| !arn.is_empty());
        }
        if let Some(tracing) = change.tracing_config {
            self.traced = tracing.mode == "Active";
        }
        if let Some(group) = change.logging_config.and_then(|logging| logging.log_group) {
            self.log_group = group;
        }
        let set = |field: &mut String, value: Option<String>| {
            if let Some(value) = value {
                *field = value;
            }
        };
        set(&mut self.role, change.role);
        set(&mut self.runtime, change.runtime);
        set(&mut self.handler, change.handler);
        set(&mut self.description, change.description);
        Ok(())
    }
}

fn within(member: &str, value: u64, least: u64, most: u64) -> Result<u64, ServiceError> {
    if (least..=most).contains(&value) {
        return Ok(value);
    }
    let (rule, bound) = if value < least { ("greater", least) } else { ("less", most) };
    Err(ServiceError::new(
        "ValidationException",
        format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must have value {rule} than or equal to {bound}"
        ),
    ))
}

/// A function as callers name it: `name`, `name:qualifier`, `account:function:name` or the whole ARN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionName {
    pub name: String,
    pub qualifier: Option<String>,
}

impl FunctionName {
    pub fn parse(text: &str) -> Self {
        let rest = text.rsplit_once("function:").map_or(text, |(_, rest)| rest);
        match rest.split_once(':') {
            Some((name, qualifier)) => {
                FunctionName { name: name.to_owned(), qualifier: Some(qualifier.to_owned()) }
            }
            None => FunctionName { name: rest.to_owned(), qualifier: None },
        }
    }

    pub fn not_found(&self, settings: &Settings) -> ServiceError {
        let mut arn = settings.arn("lambda", &format!("function:{}", self.name));
        if let Some(qualifier) = &self.qualifier {
            arn = format!("{arn}:{qualifier}");
        }
        ServiceError::new("ResourceNotFoundException", format!("Function not found: {arn}"))
            .status(404)
            .with("Type", "User")
    }
}

#[derive(Deserialize)]
pub(super) struct Code {
    #[serde(rename = "LocalPath")]
    local_path: Option<PathBuf>,
    #[serde(rename = "S3Bucket")]
    bucket: Option<String>,
    #[serde(rename = "S3Key")]
    key: Option<PathBuf>,
}

impl Code {
    fn hot_reload(&self) -> Option<&PathBuf> {
        self.key.as_ref().filter(|_| self.bucket.as_deref() == Some("hot-reload"))
    }

    fn path(&self) -> Result<PathBuf, ServiceError> {
        let Some(path) = self.local_path.as_ref().or(self.hot_reload()) else {
            return Err(ServiceError::new(
                "InvalidParameterValueException",
                "functions run from binaries here: give Code as {\"LocalPath\": \"/path/of/bootstrap\"}, or S3Bucket=hot-reload,S3Key=/path/of/bootstrap",
            ));
        };
        std::path::absolute(path).map_err(ServiceError::internal)
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Configuration {
    pub role: Option<String>,
    runtime: Option<String>,
    handler: Option<String>,
    description: Option<String>,
    timeout: Option<u64>,
    memory_size: Option<u64>,
    environment: Option<Environment>,
    dead_letter_config: Option<DeadLetters>,
    logging_config: Option<Logging>,
    tracing_config: Option<Tracing>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Environment {
    #[serde(default)]
    variables: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeadLetters {
    target_arn: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Tracing {
    mode: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Logging {
    log_group: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::FunctionName;

    #[test]
    fn functions_are_named_in_four_ways() {
        for (text, name, qualifier) in [
            ("load", "load", None),
            ("load:$LATEST", "load", Some("$LATEST")),
            ("123456789012:function:load", "load", None),
            ("arn:aws:lambda:us-east-1:123456789012:function:load:live", "load", Some("live")),
        ] {
            let parsed = FunctionName::parse(text);
            assert_eq!(parsed.name, name);
            assert_eq!(parsed.qualifier.as_deref(), qualifier);
        }
    }
}

//! The control plane: functions created, shown, changed and deleted.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Lambda;
use super::function::{Code, Configuration, Function, FunctionName};
use crate::wire::{ServiceError, page, read};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    function_name: String,
    code: Code,
    role: String,
    #[serde(default)]
    architectures: Vec<String>,
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(flatten)]
    configuration: Configuration,
}

impl Lambda {
    /// The function that `FunctionName` and `Qualifier` mean. Versions and aliases are not kept.
    pub(super) fn named(&self, input: &Value) -> Result<Function, ServiceError> {
        let name = Self::name_of(input)?;
        match &name.qualifier {
            None => {}
            Some(qualifier) if qualifier == "$LATEST" => {}
            Some(_) => return Err(name.not_found(&self.settings)),
        }
        let found = self.functions.get(&name.name)?;
        found.ok_or_else(|| name.not_found(&self.settings))
    }

    fn name_of(input: &Value) -> Result<FunctionName, ServiceError> {
        let text = input["FunctionName"]
            .as_str()
            .ok_or_else(|| ServiceError::new("ValidationException", "FunctionName is required"))?;
        let mut name = FunctionName::parse(text);
        if let Some(qualifier) = input["Qualifier"].as_str() {
            name.qualifier = Some(qualifier.to_owned());
        }
        Ok(name)
    }

    pub(super) fn change(
        &self,
        input: &Value,
        change: impl FnOnce(&mut Function) -> Result<Value, ServiceError>,
    ) -> Result<Value, ServiceError> {
        let name = Self::name_of(input)?;
        let changed = self.functions.update(&name.name, |function| {
            function.touch();
            change(function)
        })?;
        changed.ok_or_else(|| name.not_found(&self.settings))
    }

    pub(super) fn create_function(&self, input: Value) -> Result<Value, ServiceError> {
        let create: Create = read(input)?;
        let name = FunctionName::parse(&create.function_name).name;
        let mut function = Function::new(name, create.role, &self.settings);
        function.tags = create.tags;
        if !create.architectures.is_empty() {
            function.architectures = create.architectures;
        }
        function.set_code(&create.code)?;
        function.configure(create.configuration)?;
        self.check_role(&function.arn, &function.role)?;
        if !self.functions.insert(&function.name, &function)? {
            return Err(ServiceError::new(
                "ResourceConflictException",
                format!("Function already exist: {}", function.name),
            )
            .status(409)
            .with("Type", "User"));
        }
        Ok(function.configuration())
    }

    pub(super) fn get_function(&self, input: &Value) -> Result<Value, ServiceError> {
        let function = self.named(input)?;
        let mut answer = json!({
            "Configuration": function.configuration(),
            "Code": {
                "RepositoryType": "Local",
                "Location": format!("file://{}", function.binary.display()),
            },
            "Tags": function.tags,
        });
        if let Some(count) = function.reserved_concurrency {
            answer["Concurrency"] = json!({"ReservedConcurrentExecutions": count});
        }
        Ok(answer)
    }

    pub(super) fn list_functions(&self, input: &Value) -> Result<Value, ServiceError> {
        let functions = self.functions.values()?;
        let size = input["MaxItems"].as_u64();
        let (functions, next) = page(functions, size, 50, input["Marker"].as_str())?;
        let functions: Vec<Value> = functions.iter().map(Function::configuration).collect();
        Ok(json!({"Functions": functions, "NextMarker": next}))
    }

    pub(super) fn update_function_code(&self, input: &Value) -> Result<Value, ServiceError> {
        let code: Code = read(input.clone())?;
        self.change(input, |function| {
            function.set_code(&code)?;
            Ok(function.configuration())
        })
    }

    pub(super) fn update_function_configuration(
        &self,
        input: &Value,
    ) -> Result<Value, ServiceError> {
        let configuration: Configuration = read(input.clone())?;
        if let Some(role) = &configuration.role {
            self.check_role(&self.named(input)?.arn, role)?;
        }
        self.change(input, |function| {
            function.configure(configuration)?;
            Ok(function.configuration())
        })
    }

    /// Lambda must be allowed to take on the function's role.
    fn check_role(&self, function_arn: &str, role_arn: &str) -> Result<(), ServiceError> {
        let assumed = self.link.services().map_or(Ok(()), |services| {
            services.assume("lambda.amazonaws.com", function_arn, role_arn)
        });
        assumed.map_err(|_| {
            ServiceError::new(
                "InvalidParameterValueException",
                "The role defined for the function cannot be assumed by Lambda.",
            )
            .with("Type", "User")
        })
    }

    pub(super) fn delete_function(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = Self::name_of(input)?;
        if !self.functions.delete(&name.name)? {
            return Err(name.not_found(&self.settings));
        }
        self.pool.forget(&name.name);
        Ok(Value::Null)
    }

    pub(super) fn put_function_concurrency(&self, input: &Value) -> Result<Value, ServiceError> {
        let count = input["ReservedConcurrentExecutions"]
            .as_u64()
            .and_then(|count| usize::try_from(count).ok())
            .ok_or_else(|| {
                ServiceError::new(
                    "InvalidParameterValueException",
                    "ReservedConcurrentExecutions is required",
                )
            })?;
        self.change(input, |function| {
            function.reserved_concurrency = Some(count);
            Ok(json!({"ReservedConcurrentExecutions": count}))
        })
    }

    pub(super) fn put_event_invoke_config(&self, input: &Value) -> Result<Value, ServiceError> {
        if let Some(other) = ["DestinationConfig", "MaximumEventAgeInSeconds"]
            .into_iter()
            .find(|member| !input[*member].is_null())
        {
            return Err(ServiceError::new(
                "InvalidParameterValueException",
                format!("{other} is not offered here; MaximumRetryAttempts is"),
            ));
        }
        let attempts = match input["MaximumRetryAttempts"].as_u64() {
            None => 2,
            Some(attempts @ 0..=2) => u32::try_from(attempts).unwrap_or(2),
            Some(attempts) => {
                return Err(ServiceError::new(
                    "InvalidParameterValueException",
                    format!("MaximumRetryAttempts is 0, 1 or 2, not {attempts}"),
                ));
            }
        };
        self.change(input, |function| {
            function.retry_attempts = attempts;
            Ok(json!({"FunctionArn": function.arn, "MaximumRetryAttempts": attempts}))
        })
    }

    pub(super) fn list_tags(&self, input: &Value) -> Result<Value, ServiceError> {
        let function = self.named(&json!({"FunctionName": input["Resource"]}))?;
        Ok(json!({"Tags": function.tags}))
    }
}

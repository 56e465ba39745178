//! Alarms: kept as they were put, with the state they were set to.

use serde_json::{Value, json};

use super::{CloudWatch, missing};
use crate::iam::Caller;
use crate::wire::{ServiceError, page, read};

fn names(input: &Value) -> Result<Vec<String>, ServiceError> {
    match &input["AlarmNames"] {
        Value::Null => Ok(Vec::new()),
        names => read(names.clone()),
    }
}

impl CloudWatch {
    pub(super) fn put_metric_alarm(&self, input: Value) -> Result<Value, ServiceError> {
        let name = input["AlarmName"].as_str().ok_or_else(|| missing("AlarmName"))?.to_owned();
        for member in ["ComparisonOperator", "EvaluationPeriods"] {
            if input[member].is_null() {
                return Err(missing(member));
            }
        }
        let now = lake::clock::now().as_second();
        let previous = self.alarms.get(&name)?;
        let mut alarm = input;
        let defaults = json!({
            "ActionsEnabled": true,
            "OKActions": [],
            "AlarmActions": [],
            "InsufficientDataActions": [],
            "Dimensions": [],
        });
        for (member, value) in defaults.as_object().into_iter().flatten() {
            if alarm[member].is_null() {
                alarm[member] = value.clone();
            }
        }
        alarm["AlarmArn"] = self.settings.arn("cloudwatch", &format!("alarm:{name}")).into();
        alarm["AlarmConfigurationUpdatedTimestamp"] = now.into();
        let state = previous.unwrap_or_else(|| {
            json!({
                "StateValue": "INSUFFICIENT_DATA",
                "StateReason": "Unchecked: Initial alarm creation",
                "StateUpdatedTimestamp": now,
            })
        });
        for member in ["StateValue", "StateReason", "StateReasonData", "StateUpdatedTimestamp"] {
            if !state[member].is_null() {
                alarm[member] = state[member].clone();
            }
        }
        self.alarms.put(&name, &alarm)?;
        Ok(json!({}))
    }

    pub(super) fn describe_alarms(&self, input: &Value) -> Result<Value, ServiceError> {
        let names = names(input)?;
        let prefix = input["AlarmNamePrefix"].as_str().unwrap_or_default();
        let state = input["StateValue"].as_str();
        let alarms: Vec<Value> = self
            .alarms
            .list(prefix)?
            .into_iter()
            .filter(|(name, alarm)| {
                (names.is_empty() || names.contains(name))
                    && state.is_none_or(|state| alarm["StateValue"] == state)
            })
            .map(|(_, alarm)| alarm)
            .collect();
        let size = input["MaxRecords"].as_u64();
        let (alarms, next) = page(alarms, size, 100, input["NextToken"].as_str())?;
        Ok(json!({"MetricAlarms": alarms, "CompositeAlarms": [], "NextToken": next}))
    }

    pub(super) fn delete_alarms(&self, input: &Value) -> Result<Value, ServiceError> {
        for name in names(input)? {
            self.alarms.delete(&name)?;
        }
        Ok(json!({}))
    }

    pub(super) fn set_alarm_state(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = input["AlarmName"].as_str().ok_or_else(|| missing("AlarmName"))?;
        let changed = self.alarms.update(name, |alarm| {
            let before = alarm["StateValue"].clone();
            for member in ["StateValue", "StateReason", "StateReasonData"] {
                if !input[member].is_null() {
                    alarm[member] = input[member].clone();
                }
            }
            alarm["StateUpdatedTimestamp"] = lake::clock::now().as_second().into();
            Ok((before, alarm.clone()))
        })?;
        let (before, alarm) = changed.ok_or_else(|| {
            ServiceError::new("ResourceNotFound", format!("{name} does not exist")).status(404)
        })?;
        if alarm["StateValue"] != before && alarm["ActionsEnabled"] == true {
            self.act(&alarm, &before);
        }
        Ok(json!({}))
    }

    /// Tells the topics of an alarm's new state. CloudWatch publishes itself: the topics' policies must let it in.
    /// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html>
    fn act(&self, alarm: &Value, before: &Value) {
        let text = |member: &str| alarm[member].as_str().unwrap_or_default();
        let member = match text("StateValue") {
            "ALARM" => "AlarmActions",
            "OK" => "OKActions",
            _ => "InsufficientDataActions",
        };
        let actions = alarm[member].as_array().into_iter().flatten().filter_map(Value::as_str);
        let caller = Caller::service("cloudwatch.amazonaws.com", Some(text("AlarmArn")));
        for topic in actions.filter(|arn| arn.contains(":sns:")) {
            let message = json!({
                "AlarmName": alarm["AlarmName"],
                "AlarmDescription": alarm["AlarmDescription"],
                "AlarmArn": alarm["AlarmArn"],
                "AWSAccountId": self.settings.account_id,
                "NewStateValue": alarm["StateValue"],
                "NewStateReason": alarm["StateReason"],
                "OldStateValue": before,
                "StateChangeTime": lake::clock::now().to_string(),
            });
            let subject = format!("{}: \"{}\"", text("StateValue"), text("AlarmName"));
            let input =
                json!({"TopicArn": topic, "Subject": subject, "Message": message.to_string()});
            let (link, caller) = (self.link.clone(), caller.clone());
            tokio::spawn(async move {
                let Some(services) = link.services() else { return };
                if let Err(error) = services.dispatch_as(&caller, "sns", "Publish", input).await {
                    tracing::warn!(%error, "an alarm's topic was not told");
                }
            });
        }
    }

    pub(super) fn set_actions_enabled(
        &self,
        input: &Value,
        enabled: bool,
    ) -> Result<Value, ServiceError> {
        for name in names(input)? {
            self.alarms.update(&name, |alarm| {
                alarm["ActionsEnabled"] = enabled.into();
                Ok(())
            })?;
        }
        Ok(json!({}))
    }
}

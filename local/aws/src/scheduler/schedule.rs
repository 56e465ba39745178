//! Schedules and their groups.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Expression, Scheduler};
use crate::wire::{ServiceError, page, read};

/// A schedule. `fields` is what `CreateSchedule` was given, in the API's own shape.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Schedule {
    pub name: String,
    pub group: String,
    pub fields: Map<String, Value>,
    pub created: i64,
    pub modified: i64,
    /// Epoch seconds; 0 before the first time.
    pub last_fired: i64,
}

impl Schedule {
    pub fn text(&self, member: &str) -> &str {
        self.fields.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn target(&self) -> &Value {
        self.fields.get("Target").unwrap_or(&Value::Null)
    }

    pub fn is_enabled(&self) -> bool {
        self.text("State") != "DISABLED"
    }

    pub fn zone(&self) -> Option<TimeZone> {
        match self.text("ScheduleExpressionTimezone") {
            "" => Some(TimeZone::UTC),
            name => TimeZone::get(name).ok(),
        }
    }

    /// The first time after `after` and within `StartDate` and `EndDate`.
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let time = |member: &str| {
            let seconds = self.fields.get(member)?.as_f64()?;
            #[expect(clippy::cast_possible_truncation, reason = "seconds of this age")]
            Timestamp::from_second(seconds as i64).ok()
        };
        let created = Timestamp::from_second(self.created).unwrap_or_default();
        let start = time("StartDate").unwrap_or(created);
        let expression = Expression::parse(self.text("ScheduleExpression")).ok()?;
        let after = match time("StartDate") {
            Some(start) => after.max(start - jiff::SignedDuration::from_secs(1)),
            None => after,
        };
        let next = expression.next(after, &self.zone()?, start)?;
        time("EndDate").is_none_or(|end| next <= end).then_some(next)
    }
}

/// Members that AWS requires.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Required {
    name: String,
    group_name: Option<String>,
    schedule_expression: String,
    schedule_expression_timezone: Option<String>,
    #[expect(dead_code, reason = "only its presence is asked for")]
    flexible_time_window: Value,
    target: RequiredTarget,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RequiredTarget {
    arn: String,
    role_arn: String,
}

fn invalid(message: impl Into<String>) -> ServiceError {
    ServiceError::new("ValidationException", message)
}

fn not_found(kind: &str, name: &str) -> ServiceError {
    ServiceError::new("ResourceNotFoundException", format!("{kind} {name} does not exist."))
        .status(404)
}

fn conflict(kind: &str, name: &str) -> ServiceError {
    ServiceError::new("ConflictException", format!("{kind} {name} already exists.")).status(409)
}

fn key_of(input: &Value) -> Result<String, ServiceError> {
    let name = input["Name"].as_str().ok_or_else(|| invalid("Name is required"))?;
    let group = input["GroupName"].as_str().unwrap_or("default");
    Ok(format!("{group}/{name}"))
}

impl Scheduler {
    pub(super) fn arn(&self, schedule: &Schedule) -> String {
        let resource = format!("schedule/{}/{}", schedule.group, schedule.name);
        self.settings.arn("scheduler", &resource)
    }

    fn checked(&self, input: Value) -> Result<Schedule, ServiceError> {
        let Value::Object(mut fields) = input.clone() else {
            return Err(invalid("expected an object"));
        };
        let required: Required = read(input)?;
        Expression::parse(&required.schedule_expression).map_err(|_| {
            invalid(format!("Invalid Schedule Expression {}.", required.schedule_expression))
        })?;
        if let Some(zone) = &required.schedule_expression_timezone
            && TimeZone::get(zone).is_err()
        {
            return Err(invalid(format!("Invalid Schedule Expression Timezone {zone}.")));
        }
        let service = required.target.arn.split(':').nth(2).unwrap_or_default();
        if !["states", "lambda", "sqs", "sns", "logs"].contains(&service) {
            return Err(invalid(format!(
                "{} is not offered here as a target",
                required.target.arn
            )));
        }
        let group = required.group_name.unwrap_or_else(|| "default".to_owned());
        if group != "default" && self.groups.get(&group)?.is_none() {
            return Err(not_found("ScheduleGroup", &group));
        }
        for member in ["Name", "GroupName", "ClientToken"] {
            fields.remove(member);
        }
        let assumed = self.link.services().map_or(Ok(()), |services| {
            let arn = self.group_arn(&group);
            services.assume("scheduler.amazonaws.com", &arn, &required.target.role_arn)
        });
        assumed.map_err(|_| {
            invalid("The execution role you provide must allow AWS EventBridge Scheduler to assume the role.")
        })?;
        let now = lake::clock::now().as_second();
        Ok(Schedule {
            name: required.name,
            group,
            fields,
            created: now,
            modified: now,
            last_fired: 0,
        })
    }

    pub(super) fn create_schedule(&self, input: Value) -> Result<Value, ServiceError> {
        let key = key_of(&input)?;
        let schedule = self.checked(input)?;
        if !self.schedules.insert(&key, &schedule)? {
            return Err(conflict("Schedule", &schedule.name));
        }
        Ok(json!({"ScheduleArn": self.arn(&schedule)}))
    }

    /// Replaces everything, as AWS does: what is not given falls back to its default.
    pub(super) fn update_schedule(&self, input: Value) -> Result<Value, ServiceError> {
        let key = key_of(&input)?;
        let new = self.checked(input)?;
        let arn = self.arn(&new);
        let name = new.name.clone();
        let updated = self.schedules.update(&key, |schedule| {
            schedule.fields = new.fields;
            schedule.modified = new.modified;
            Ok(json!({"ScheduleArn": arn}))
        })?;
        updated.ok_or_else(|| not_found("Schedule", &name))
    }

    /// A schedule by its name, `<group>/<name>` or a name in the default group.
    pub(super) fn schedule(&self, key: &str) -> Result<Schedule, ServiceError> {
        self.schedules.get(key)?.ok_or_else(|| not_found("Schedule", key))
    }

    pub(super) fn get_schedule(&self, input: &Value) -> Result<Value, ServiceError> {
        let schedule = self.schedule(&key_of(input)?)?;
        let mut shown = schedule.fields.clone();
        let defaults = [
            ("State", "ENABLED"),
            ("ActionAfterCompletion", "NONE"),
            ("ScheduleExpressionTimezone", "UTC"),
        ];
        for (member, value) in defaults {
            shown.entry(member).or_insert_with(|| value.into());
        }
        shown.insert("Arn".into(), self.arn(&schedule).into());
        shown.insert("Name".into(), schedule.name.into());
        shown.insert("GroupName".into(), schedule.group.into());
        shown.insert("CreationDate".into(), schedule.created.into());
        shown.insert("LastModificationDate".into(), schedule.modified.into());
        Ok(Value::Object(shown))
    }

    pub(super) fn list_schedules(&self, input: &Value) -> Result<Value, ServiceError> {
        let text = |member: &str| input[member].as_str();
        let schedules: Vec<Schedule> = self
            .schedules
            .values()?
            .into_iter()
            .filter(|schedule| {
                text("ScheduleGroup")
                    .or(text("GroupName"))
                    .is_none_or(|group| schedule.group == group)
                    && text("NamePrefix").is_none_or(|prefix| schedule.name.starts_with(prefix))
                    && text("State")
                        .is_none_or(|state| (state == "ENABLED") == schedule.is_enabled())
            })
            .collect();
        let (schedules, next) =
            page(schedules, input["MaxResults"].as_u64(), 100, text("NextToken"))?;
        let schedules: Vec<Value> = schedules
            .iter()
            .map(|schedule| {
                json!({
                    "Arn": self.arn(schedule),
                    "Name": schedule.name,
                    "GroupName": schedule.group,
                    "State": if schedule.is_enabled() { "ENABLED" } else { "DISABLED" },
                    "CreationDate": schedule.created,
                    "LastModificationDate": schedule.modified,
                    "Target": {"Arn": schedule.target()["Arn"]},
                })
            })
            .collect();
        let mut answer = json!({"Schedules": schedules});
        if let Some(next) = next {
            answer["NextToken"] = next.into();
        }
        Ok(answer)
    }

    pub(super) fn delete_schedule(&self, input: &Value) -> Result<Value, ServiceError> {
        let key = key_of(input)?;
        if self.schedules.delete(&key)? { Ok(json!({})) } else { Err(not_found("Schedule", &key)) }
    }

    pub(super) fn group_arn(&self, name: &str) -> String {
        self.settings.arn("scheduler", &format!("schedule-group/{name}"))
    }

    pub(super) fn create_schedule_group(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = input["Name"].as_str().ok_or_else(|| invalid("Name is required"))?;
        let group = json!({"created": lake::clock::now().as_second()});
        if name == "default" || !self.groups.insert(name, &group)? {
            return Err(conflict("ScheduleGroup", name));
        }
        Ok(json!({"ScheduleGroupArn": self.group_arn(name)}))
    }

    pub(super) fn get_schedule_group(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = input["Name"].as_str().unwrap_or_default();
        let group = match self.groups.get(name)? {
            Some(group) => group,
            None if name == "default" => json!({"created": 0}),
            None => return Err(not_found("ScheduleGroup", name)),
        };
        Ok(json!({
            "Arn": self.group_arn(name),
            "Name": name,
            "State": "ACTIVE",
            "CreationDate": group["created"],
            "LastModificationDate": group["created"],
        }))
    }

    pub(super) fn list_schedule_groups(&self) -> Result<Value, ServiceError> {
        let mut names = vec!["default".to_owned()];
        names.extend(self.groups.list("")?.into_iter().map(|(name, _)| name));
        let groups: Vec<Value> = names
            .iter()
            .map(|name| json!({"Arn": self.group_arn(name), "Name": name, "State": "ACTIVE"}))
            .collect();
        Ok(json!({"ScheduleGroups": groups}))
    }

    /// The group's schedules go with it.
    pub(super) fn delete_schedule_group(&self, input: &Value) -> Result<Value, ServiceError> {
        let name = input["Name"].as_str().unwrap_or_default();
        if !self.groups.delete(name)? {
            return Err(not_found("ScheduleGroup", name));
        }
        for (key, _) in self.schedules.list(&format!("{name}/"))? {
            self.schedules.delete(&key)?;
        }
        Ok(json!({}))
    }
}

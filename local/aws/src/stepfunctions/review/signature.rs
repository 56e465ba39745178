//! The operations that tasks may name, and their arguments.

use std::collections::HashMap;
use std::sync::OnceLock;

use asl::Pattern;

/// One operation of an integration.
#[derive(Debug)]
pub struct Signature {
    /// `startQueryExecution`
    pub action: &'static str,
    /// Offered besides request and response.
    pub patterns: Vec<Pattern>,
    pub arguments: Arguments,
    /// What is inside of arguments, by path: `Entries/*`, `ResultConfiguration`.
    pub inside: HashMap<&'static str, Arguments>,
}

/// The members of an object.
#[derive(Debug, Default)]
pub struct Arguments {
    pub required: Vec<&'static str>,
    pub optional: Vec<&'static str>,
    /// Takes others too.
    pub open: bool,
}

/// An integration: an optimised one, or a service of the SDK.
#[derive(Debug, Default)]
pub struct Integration {
    pub signatures: Vec<Signature>,
    /// Names of the service's exceptions; none where they are not known.
    pub errors: Vec<&'static str>,
}

impl Arguments {
    fn of(text: &'static str) -> Self {
        let mut arguments = Self::default();
        for name in text.split_whitespace() {
            match name.strip_suffix('!') {
                Some(name) => arguments.required.push(name),
                None if name == "*" => arguments.open = true,
                None => arguments.optional.push(name),
            }
        }
        arguments
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.required.iter().chain(&self.optional).copied()
    }

    pub fn takes(&self, name: &str) -> bool {
        self.open || self.names().any(|known| known == name)
    }
}

impl Integration {
    /// `athena`, or `aws-sdk:athena`. `None` where its signatures are not known.
    pub fn named(name: &str) -> Option<&'static Self> {
        static ALL: OnceLock<HashMap<String, Integration>> = OnceLock::new();
        ALL.get_or_init(all).get(name)
    }

    pub fn signature(&self, action: &str) -> Option<&Signature> {
        self.signatures.iter().find(|signature| signature.action == action)
    }

    pub fn actions(&self) -> impl Iterator<Item = &'static str> + Clone {
        self.signatures.iter().map(|signature| signature.action)
    }
}

/// Whether AWS has a service that is called so in `aws-sdk:<name>`.
pub fn is_service(name: &str) -> bool {
    services().any(|known| known == name)
}

pub fn services() -> impl Iterator<Item = &'static str> + Clone {
    include_str!("../../../signatures/services.txt").lines()
}

/// The signatures of the services that the local side offers to tasks.
const SDK: [(&str, &str); 12] = [
    ("athena", include_str!("../../../signatures/athena.txt")),
    ("cloudwatch", include_str!("../../../signatures/cloudwatch.txt")),
    ("cloudwatchlogs", include_str!("../../../signatures/cloudwatchlogs.txt")),
    ("eventbridge", include_str!("../../../signatures/eventbridge.txt")),
    ("glue", include_str!("../../../signatures/glue.txt")),
    ("lambda", include_str!("../../../signatures/lambda.txt")),
    ("s3", include_str!("../../../signatures/s3.txt")),
    ("scheduler", include_str!("../../../signatures/scheduler.txt")),
    ("sfn", include_str!("../../../signatures/sfn.txt")),
    ("sns", include_str!("../../../signatures/sns.txt")),
    ("sqs", include_str!("../../../signatures/sqs.txt")),
    ("sts", include_str!("../../../signatures/sts.txt")),
];

/// Optimised integrations, by the SDK's name of the service whose exceptions they raise.
const RAISED_BY: [(&str, &str); 7] = [
    ("athena", "athena"),
    ("events", "eventbridge"),
    ("glue", "glue"),
    ("lambda", "lambda"),
    ("sns", "sns"),
    ("sqs", "sqs"),
    ("states", "sfn"),
];

fn all() -> HashMap<String, Integration> {
    let mut all: HashMap<String, Integration> = HashMap::new();
    for (name, text) in SDK {
        all.insert(format!("aws-sdk:{name}"), sdk(text));
    }
    for line in include_str!("../../../signatures/optimised.txt").lines() {
        optimised(line, &mut all);
    }
    for (name, sdk) in RAISED_BY {
        let errors = all[&format!("aws-sdk:{sdk}")].errors.clone();
        all.entry(name.to_owned()).or_default().errors = errors;
    }
    all
}

fn sdk(text: &'static str) -> Integration {
    let mut integration = Integration::default();
    for line in text.lines() {
        let (action, arguments) = line.split_once(' ').unwrap_or((line, ""));
        if action == "errors" {
            integration.errors = arguments.split(' ').collect();
            continue;
        }
        integration.signatures.push(Signature {
            action,
            patterns: vec![Pattern::WaitForTaskToken],
            arguments: Arguments::of(arguments),
            inside: HashMap::new(),
        });
    }
    integration
}

/// `athena:startQueryExecution sync | QueryString! …`, or what is inside of an argument of the
/// line before.
fn optimised(line: &'static str, all: &mut HashMap<String, Integration>) {
    let (head, arguments) = line.split_once('|').expect("every line has a bar");
    let arguments = Arguments::of(arguments);
    let mut words = head.split_whitespace();
    let place = words.next().expect("every line begins with its action");
    let (service, action) = place.split_once(':').expect("service and action");
    let integration = all.entry(service.to_owned()).or_default();
    if let Some((_, path)) = action.split_once('/') {
        let signature = integration.signatures.last_mut().expect("lines are sorted");
        signature.inside.insert(path, arguments);
        return;
    }
    let patterns = words.map(|word| match word {
        "sync" => Pattern::Sync,
        "sync2" => Pattern::Sync2,
        "token" => Pattern::WaitForTaskToken,
        other => unreachable!("{other} is no pattern"),
    });
    integration.signatures.push(Signature {
        action,
        patterns: patterns.collect(),
        arguments,
        inside: HashMap::new(),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        let athena = Integration::named("athena").unwrap();
        let start = athena.signature("startQueryExecution").unwrap();
        assert_eq!(start.arguments.required, ["QueryString"]);
        assert_eq!(start.patterns, [Pattern::Sync]);
        assert!(start.inside["ResultConfiguration"].takes("OutputLocation"));
        let events = Integration::named("events").unwrap().signature("putEvents").unwrap();
        assert!(events.inside["Entries/*"].takes("DetailType"));
        for (name, _) in SDK {
            let integration = Integration::named(&format!("aws-sdk:{name}")).unwrap();
            assert!(integration.signatures.len() > 5 && !integration.errors.is_empty(), "{name}");
            assert!(is_service(name), "{name}");
        }
    }
}

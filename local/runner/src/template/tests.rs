//! Templates in, stacks or problems out.
use super::*;

fn account() -> Account {
    Account {
        id: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        endpoint: "http://127.0.0.1:4566".to_owned(),
        stack_name: "taxi".to_owned(),
    }
}

const HEAD: &str = r#"
Transform: AWS::Serverless-2016-10-31
Parameters:
  Stage: { Type: String, Default: local, AllowedValues: [local, prod] }
  Months: { Type: Number, Default: 6 }
  Mail: { Type: String, Default: "" }
Conditions:
  HasMail: !Not [!Equals [!Ref Mail, ""]]
  IsLocal: !Equals [!Ref Stage, local]
  Both: !And [Condition: HasMail, !Condition IsLocal]
Mappings:
  Sizes: { local: { Memory: 128 }, prod: { Memory: 256 } }
Resources:
  Raw: { Type: AWS::S3::Bucket, Properties: { BucketName: !Sub "raw-${Stage}-${AWS::AccountId}" } }
  Dead: { Type: AWS::SQS::Queue, Properties: { QueueName: dead } }
  News: { Type: AWS::SNS::Topic }
"#;

/// The value of an output with this expression.
fn value(expression: &str) -> Result<String, String> {
    let text = format!("{HEAD}Outputs:\n  Out:\n    Value: {expression}\n");
    match Stack::parse(&text, Path::new("."), &BTreeMap::new(), account()) {
        Ok(stack) => Ok(stack.outputs["Out"].clone()),
        Err(problems) => {
            Err(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        }
    }
}

#[test]
fn functions_are_worked_out() {
    for (expression, expected) in [
        ("!Ref Stage", "local"),
        ("{ Ref: Months }", "6"),
        ("!Ref AWS::Region", "us-east-1"),
        ("!Ref Raw", "raw-local-123456789012"),
        ("!Ref Dead", "http://127.0.0.1:4566/123456789012/dead"),
        ("!Ref News", "arn:aws:sns:us-east-1:123456789012:taxi-News"),
        ("!GetAtt Raw.Arn", "arn:aws:s3:::raw-local-123456789012"),
        ("{ Fn::GetAtt: [Dead, Arn] }", "arn:aws:sqs:us-east-1:123456789012:dead"),
        (
            "!Sub '${Raw.Arn}/raw/* of ${!Literal} in ${AWS::Partition}'",
            "arn:aws:s3:::raw-local-123456789012/raw/* of ${Literal} in aws",
        ),
        ("!Sub ['${A}-${Stage}', { A: !Ref Months }]", "6-local"),
        ("!Join ['/', [a, !Ref Stage, !Ref AWS::NoValue]]", "a/local"),
        ("!Select [1, !Split [',', 'a,b,c']]", "b"),
        ("!If [HasMail, !Ref Mail, nobody]", "nobody"),
        ("!If [Both, both, 'not both']", "not both"),
        ("!FindInMap [Sizes, !Ref Stage, Memory]", "128"),
    ] {
        assert_eq!(value(expression).as_deref(), Ok(expected), "{expression}");
    }
}

#[test]
fn what_is_not_understood_says_where() {
    for (expression, expected) in [
        ("!Ref Nobody", "19:12: Nobody is no parameter and no resource of this template"),
        (
            "!GetAtt Raw.Size",
            "19:12: Raw has no attribute Size: expected one of Arn, DomainName, RegionalDomainName",
        ),
        (
            "!ImportValue other",
            "19:12: ImportValue: other stacks do not exist locally; pass the value as a parameter",
        ),
        (
            "!Cidr [a, b]",
            "19:12: unknown function Cidr: expected Ref, GetAtt, Sub, Join, Select, Split, If, FindInMap",
        ),
        ("!If [Never, a, b]", "19:17: unknown condition Never"),
        ("!Select [9, [a, b]]", "19:24: Select: index 9 of a list of 2"),
    ] {
        assert_eq!(value(expression), Err(expected.to_owned()), "{expression}");
    }
    let problems = |text: &str| -> Vec<String> {
        let parsed = Stack::parse(text, Path::new("."), &BTreeMap::new(), account());
        parsed.unwrap_err().iter().map(ToString::to_string).collect()
    };
    let two = problems(
        "Resources:\n  A: { Type: AWS::EC2::VPC }\n  B:\n    Type: AWS::S3::Bucket\n    Properties: { Tags: !Ref Nope }\nExtras: {}\n",
    );
    assert_eq!(two.len(), 3, "{two:?}");
    assert!(two[0].starts_with("2:14: AWS::EC2::VPC is not known locally"), "{two:?}");
    assert!(two[1].starts_with("5:25: Nope is no parameter"), "{two:?}");
    assert_eq!(two[2], "6:1: unknown section Extras");
    let cycle = "Resources:\n  A: { Type: AWS::S3::Bucket, Properties: { BucketName: !Ref B } }\n  B: { Type: AWS::S3::Bucket, Properties: { BucketName: !Ref A } }\n";
    assert!(problems(cycle)[0].contains("depends on itself"));
    assert!(problems("Resources: [\n")[0].contains("not YAML"));
    assert!(problems("Resources:\n  A: {}\n  A: {}\n")[0].contains("duplicated key"));
}

#[test]
fn parameters_are_set_by_name() {
    let read = |name: &str, value: &str| {
        let overrides = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        Stack::parse(HEAD, Path::new("."), &overrides, account())
            .map_err(|problems| problems[0].message.clone())
    };
    assert_eq!(read("Stage", "prod").unwrap().resources[0].identity.name, "raw-prod-123456789012");
    assert_eq!(
        read("Stage", "test").unwrap_err(),
        "parameter Stage: expected one of local, prod, found \"test\""
    );
    assert_eq!(
        read("Months", "few").unwrap_err(),
        "parameter Months: expected a number, found \"few\""
    );
    assert_eq!(read("Other", "x").unwrap_err(), "the template has no parameter Other to set");
}

#[test]
fn functions_and_machines_are_expanded() {
    let text = r#"
Globals:
  Function: { MemorySize: 256, Architectures: [arm64], Environment: { Variables: { STAGE: local, LEVEL: info } } }
Resources:
  Extract:
    Type: AWS::Serverless::Function
    Properties: { CodeUri: functions/extract/, Timeout: 900, Environment: { Variables: { LEVEL: debug, MONTHS: 6 } } }
  Etl:
    Type: AWS::Serverless::StateMachine
    Properties:
      Name: etl
      AutoPublishAlias: live
      UseAliasAsEventTarget: true
      Definition: { StartAt: A, States: { A: { Type: Task, Resource: "${Target}", End: true } } }
      DefinitionSubstitutions: { Target: !GetAtt Extract.Arn }
      Events:
        Nightly: { Type: ScheduleV2, Properties: { ScheduleExpression: cron(0 2 * * ? *) } }
        Arrival: { Type: EventBridgeRule, Properties: { Pattern: { source: [aws.s3] } } }
  May:
    Type: AWS::SQS::QueuePolicy
    Properties: { Queues: [], Source: !GetAtt EtlArrival.Arn, Alias: !Ref EtlAliaslive }
"#;
    let stack = Stack::parse(text, Path::new("."), &BTreeMap::new(), account()).unwrap();
    let (_, extract) = stack.functions().next().unwrap();
    assert_eq!(
        (extract.package.as_str(), extract.timeout_seconds, extract.memory_mb),
        ("extract", 900, 256)
    );
    assert_eq!(extract.role_arn, "arn:aws:iam::123456789012:role/taxi-ExtractRole");
    let environment: Vec<_> =
        extract.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(environment, ["LEVEL=debug", "MONTHS=6", "STAGE=local"]);
    let (_, machine) = stack.state_machines().next().unwrap();
    assert!(
        machine.definition.contains(
            "\"Resource\":\"arn:aws:lambda:us-east-1:123456789012:function:taxi-Extract\""
        )
    );
    let events: Vec<_> =
        machine.events.iter().map(|event| (event.identity.name.as_str(), event.trigger)).collect();
    assert_eq!(
        events,
        [("taxi-EtlNightly", Trigger::Schedule), ("taxi-EtlArrival", Trigger::Rule)]
    );
    let alias = "arn:aws:states:us-east-1:123456789012:stateMachine:etl:live";
    assert_eq!(machine.event_target, alias);
    let Body::Properties(policy) = &stack.resources[2].body else { panic!("a policy") };
    assert_eq!(policy["Alias"], alias);
    assert_eq!(policy["Source"], "arn:aws:events:us-east-1:123456789012:rule/taxi-EtlArrival");
}

#[test]
fn substitutions_and_their_places_agree() {
    let text = "Resources:\n  M:\n    Type: AWS::Serverless::StateMachine\n    Properties:\n      Definition: { Comment: '${Missing}' }\n      DefinitionSubstitutions: { Unused: a }\n";
    let problems = Stack::parse(text, Path::new("."), &BTreeMap::new(), account()).unwrap_err();
    let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "the definition asks for ${Missing}, which DefinitionSubstitutions does not give",
            "DefinitionSubstitutions gives Unused, which the definition does not ask for"
        ]
    );
}

/// The template that is deployed.
#[test]
fn the_projects_own_template_is_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let overrides = BTreeMap::from([("Stage".to_owned(), "local".to_owned())]);
    let stack = Stack::read(&root.join("template.yaml"), &overrides, account())
        .unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(stack.functions().count(), 5);
    assert_eq!(stack.state_machines().count(), 1);
    for (_, machine) in stack.state_machines() {
        serde_json::from_str::<Value>(&machine.definition).unwrap();
    }
}

/// Roles as SAM's own translator (aws-sam-translator 1.103) makes them.
#[test]
#[expect(clippy::too_many_lines, reason = "a template and a table of its roles")]
fn roles_are_made_as_sam_makes_them() {
    let text = format!(
        r#"{HEAD}
  Reader:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/reader
      Tracing: Active
      VpcConfig: {{ SubnetIds: [subnet-1] }}
      DeadLetterQueue: {{ Type: SQS, TargetArn: !GetAtt Dead.Arn }}
      Policies:
        - AWSXRayDaemonWriteAccess
        - arn:aws:iam::aws:policy/AdministratorAccess
        - S3ReadPolicy: {{ BucketName: !Ref Raw }}
        - Statement: [{{ Sid: Own, Effect: Allow, Action: "sns:Publish", Resource: !Ref News }}]
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties:
      Definition: {{ StartAt: S, States: {{ S: {{ Type: Succeed }} }} }}
      Tracing: {{ Enabled: true }}
      Events:
        Nightly:
          Type: ScheduleV2
          Properties:
            ScheduleExpression: rate(1 day)
            DeadLetterConfig: {{ Arn: !GetAtt Dead.Arn }}
        Came:
          Type: EventBridgeRule
          Properties:
            Pattern: {{ source: [aws.s3] }}
            DeadLetterConfig: {{ Arn: !GetAtt Dead.Arn }}
"#
    );
    let stack = Stack::parse(&text, Path::new("."), &BTreeMap::new(), account()).unwrap();
    let roles = stack.roles();
    let shown: Vec<(&str, &str, Vec<&str>, Vec<&str>)> = roles
        .iter()
        .map(|role| {
            let service = role.trust["Statement"][0]["Principal"]["Service"][0].as_str().unwrap();
            let managed = role.managed.iter().map(|arn| arn.rsplit('/').next().unwrap()).collect();
            let policies = role.policies.iter().map(|(name, _)| name.as_str()).collect();
            (role.logical_id.as_str(), service, managed, policies)
        })
        .collect();
    assert_eq!(
        shown,
        [
            (
                "ReaderRole",
                "lambda.amazonaws.com",
                vec![
                    "AWSLambdaBasicExecutionRole",
                    "AWSXrayWriteOnlyAccess",
                    "AWSLambdaVPCAccessExecutionRole",
                    "AWSXRayDaemonWriteAccess",
                    "AdministratorAccess",
                ],
                vec!["DeadLetterQueuePolicy", "ReaderRolePolicy2", "ReaderRolePolicy3"],
            ),
            ("FlowRole", "states.amazonaws.com", vec!["AWSXrayWriteOnlyAccess"], vec![]),
            (
                "FlowNightlyRole",
                "scheduler.amazonaws.com",
                vec![],
                vec!["FlowNightlyStartExecutionPolicy", "FlowNightlySQSPolicy"],
            ),
            (
                "FlowCameRole",
                "events.amazonaws.com",
                vec![],
                vec!["FlowCameRoleStartExecutionPolicy"],
            ),
        ]
    );
    let read = &roles[0].policies[1].1["Statement"][0];
    assert_eq!(read["Resource"][1], "arn:aws:s3:::raw-local-123456789012/*");
    assert_eq!(roles[3].policies[0].1["Statement"][0]["Action"], "states:StartExecution");
}

#[test]
fn policies_that_are_not_known_are_refused_by_name() {
    for (policy, expected) in [
        ("- AmazonS3FullAccess", "AmazonS3FullAccess"),
        ("- DynamoDBCrudPolicy: { TableName: t }", "DynamoDBCrudPolicy"),
        ("- S3ReadPolicy: {}", "BucketName"),
        ("- S3ReadPolicy: { BucketName: b, Key: k }", "Key"),
    ] {
        let text = format!(
            "{HEAD}  F:\n    Type: AWS::Serverless::Function\n    Properties:\n      CodeUri: functions/f\n      Policies:\n        {policy}\n"
        );
        let problems =
            Stack::parse(&text, Path::new("."), &BTreeMap::new(), account()).unwrap_err();
        assert!(problems[0].message.contains(expected), "{policy}: {problems:?}");
    }
}

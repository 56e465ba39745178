//! The AWS-managed policies that are known here, as AWS publishes them. Any other is refused by its name.
//! <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html>

/// Where AWS's own policies have their ARNs, behind the partition.
const PREFIX: &str = ":iam::aws:policy/";

const WRITE_TRACES: &str = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [
    "xray:PutTraceSegments", "xray:PutTelemetryRecords", "xray:GetSamplingRules", "xray:GetSamplingTargets",
    "xray:GetSamplingStatisticSummaries"], "Resource": ["*"]}]}"#;

/// What stands behind [`PREFIX`], and the document.
const POLICIES: [(&str, &str); 6] = [
    (
        "service-role/AWSLambdaBasicExecutionRole",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": [
            "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}]}"#,
    ),
    (
        "service-role/AWSLambdaVPCAccessExecutionRole",
        r#"{"Version": "2012-10-17", "Statement": [{"Sid": "AWSLambdaVPCAccessExecutionPermissions",
            "Effect": "Allow", "Action": [
            "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents", "ec2:CreateNetworkInterface",
            "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:DeleteNetworkInterface",
            "ec2:AssignPrivateIpAddresses", "ec2:UnassignPrivateIpAddresses"], "Resource": "*"}]}"#,
    ),
    ("AWSXrayWriteOnlyAccess", WRITE_TRACES),
    ("AWSXRayDaemonWriteAccess", WRITE_TRACES),
    (
        "CloudWatchLambdaInsightsExecutionRolePolicy",
        r#"{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "logs:CreateLogGroup", "Resource": "*"},
            {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
             "Resource": "arn:aws:logs:*:*:log-group:/aws/lambda-insights:*"}]}"#,
    ),
    (
        "AdministratorAccess",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#,
    ),
];

/// Whether an ARN is of a policy that AWS manages.
pub fn is_managed(arn: &str) -> bool {
    arn.starts_with("arn:") && arn.contains(PREFIX)
}

/// The document of an AWS-managed policy.
pub fn document(arn: &str) -> Option<&'static str> {
    let (_, path) = arn.split_once(PREFIX)?;
    POLICIES.iter().find(|(known, _)| *known == path).map(|(_, document)| *document)
}

/// The ARN of the managed policy of this name.
pub fn arn(name: &str) -> Option<String> {
    let is_named = |path: &str| path.rsplit('/').next() == Some(name);
    let (path, _) = POLICIES.iter().find(|(path, _)| is_named(path))?;
    Some(format!("arn:aws{PREFIX}{path}"))
}

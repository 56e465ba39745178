"""The template as CloudFormation gets it, on stdout: SAM's resources expanded, parameters and
conditions worked out, resources named and their ARNs put in, as if it were deployed.

    expand.py template.yaml [Parameter=Value ...]

Runs in an environment that has aws-sam-cli. Needs no account: the managed policies that SAM
would ask IAM for are named by their well-known ARNs.
"""

import json
import os
import re
import sys

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # samtranslator wants one

from samcli.yamlhelper import yaml_parse  # noqa: E402
from samtranslator.translator.transform import transform  # noqa: E402

PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackName": "nyctaxi",
}
NOTHING = object()

# By type: the property that names it, what Ref gives, what GetAtt gives. `{}` is the name.
# "Return values" of each type in the CloudFormation reference.
ARN = "arn:aws:{service}:us-east-1:123456789012:"
STATES, SQS, LOGS = (ARN.format(service=service) for service in ("states", "sqs", "logs"))
TYPES = {
    "AWS::S3::Bucket": ("BucketName", "{}", {"Arn": "arn:aws:s3:::{}"}),
    "AWS::SQS::Queue": (
        "QueueName",
        "https://sqs.us-east-1.amazonaws.com/123456789012/{}",
        {"Arn": SQS + "{}", "QueueName": "{}"},
    ),
    "AWS::SNS::Topic": ("TopicName", ARN.format(service="sns") + "{}", {}),
    "AWS::Logs::LogGroup": ("LogGroupName", "{}", {"Arn": LOGS + "log-group:{}:*"}),
    "AWS::Lambda::Function": (
        "FunctionName",
        "{}",
        {"Arn": ARN.format(service="lambda") + "function:{}"},
    ),
    "AWS::StepFunctions::StateMachine": (
        "StateMachineName",
        STATES + "stateMachine:{}",
        {"Arn": STATES + "stateMachine:{}", "StateMachineRevisionId": "1"},
    ),
    "AWS::StepFunctions::StateMachineVersion": (None, STATES + "stateMachine:machine:1", {}),
    "AWS::StepFunctions::StateMachineAlias": (None, STATES + "stateMachine:machine:live", {}),
    "AWS::IAM::Role": ("RoleName", "{}", {"Arn": "arn:aws:iam::123456789012:role/{}"}),
    "AWS::Events::Rule": ("Name", "{}", {"Arn": ARN.format(service="events") + "rule/{}"}),
    "AWS::Athena::WorkGroup": ("Name", "{}", {}),
    "AWS::Glue::Database": (None, "nyctaxidb", {}),
    "AWS::CloudWatch::Alarm": (
        "AlarmName",
        "{}",
        {"Arn": ARN.format(service="cloudwatch") + "alarm:{}"},
    ),
    "AWS::CloudWatch::Dashboard": ("DashboardName", "{}", {}),
}


class ManagedPolicies:
    def load(self):
        return {}


def translated(path):
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    for resource in template["Resources"].values():
        # Where `sam deploy` would have put the artifacts.
        for member in {"CodeUri", "DefinitionUri"} & resource.get("Properties", {}).keys():
            resource["Properties"][member] = "s3://artifacts/" + resource["Properties"][member]
    return transform(template, {}, ManagedPolicies())


class Resolver:
    def __init__(self, template, given):
        unknown = given.keys() - template["Parameters"].keys()
        if unknown:
            raise SystemExit(f"the template has no parameter {', '.join(sorted(unknown))}")
        self.conditions = template.get("Conditions", {})
        self.mappings = template.get("Mappings", {})
        self.resources = template["Resources"]
        self.values = dict(PSEUDO)
        for name, parameter in template["Parameters"].items():
            value = given.get(name, parameter.get("Default"))
            if "List" in parameter["Type"]:
                value = [item.strip() for item in value.split(",")]
            if parameter["Type"] == "Number":
                value = int(value)
            self.values[name] = value

    def holds(self, condition):
        if isinstance(condition, str):
            return self.holds(self.conditions[condition])
        [(function, arguments)] = condition.items()
        match function:
            case "Condition":
                return self.holds(arguments)
            case "Fn::Equals":
                left, right = (str(self.resolve(argument)) for argument in arguments)
                return left == right
            case "Fn::Not":
                return not self.holds(arguments[0])
            case "Fn::And":
                return all(map(self.holds, arguments))
            case "Fn::Or":
                return any(map(self.holds, arguments))
        raise SystemExit(f"{function} is no condition")

    def resolve(self, node):
        if isinstance(node, list):
            items = [self.resolve(item) for item in node]
            return [item for item in items if item is not NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            [(function, arguments)] = node.items()
            match function:
                case "Ref" if arguments == "AWS::NoValue":
                    return NOTHING
                case "Ref":
                    return self.name(arguments)
                case "Fn::GetAtt":
                    return self.name(*arguments)
                case "Fn::If":
                    return self.resolve(arguments[1 if self.holds(arguments[0]) else 2])
                case "Fn::Join":
                    separator, items = self.resolve(arguments)
                    return separator.join(items)
                case "Fn::FindInMap":
                    name, first, second = self.resolve(arguments)
                    return self.mappings[name][first][second]
                case "Fn::Sub":
                    return self.substitute(arguments)
        resolved = {key: self.resolve(value) for key, value in node.items()}
        return {key: value for key, value in resolved.items() if value is not NOTHING}

    def name(self, of, attribute=None):
        """What Ref and GetAtt give."""
        if of in self.values:
            return self.values[of]
        resource = self.resources[of]
        if resource["Type"] not in TYPES:
            raise SystemExit(f"expand.py does not know what Ref of a {resource['Type']} gives")
        given, reference, attributes = TYPES[resource["Type"]]
        name = self.resolve(resource["Properties"].get(given, of))
        return (attributes[attribute] if attribute else reference).replace("{}", name)

    def substitute(self, arguments):
        text, extra = arguments if isinstance(arguments, list) else (arguments, {})
        extra = {key: self.resolve(value) for key, value in extra.items()}

        def value(match):
            name = match.group(1)
            return str(extra[name] if name in extra else self.name(*name.split(".")))

        return re.sub(r"\$\{([A-Za-z0-9.:]+)\}", value, text)


def main():
    path, *overrides = sys.argv[1:]
    template = translated(path)
    resolver = Resolver(template, dict(pair.split("=", 1) for pair in overrides))
    resources = {
        name: resolver.resolve({key: part for key, part in resource.items() if key != "Condition"})
        for name, resource in template["Resources"].items()
        if "Condition" not in resource or resolver.holds(resource["Condition"])
    }
    json.dump({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()

"""MiniStack with what its CloudFormation lacks: versions and aliases of state machines, which
SAM's AutoPublishAlias makes, by the operations it has for them; and alarms over several metrics,
each as an alarm over its first one.

    python -m hypercorn emulator:app --bind 127.0.0.1:PORT
"""

import json

from ministack.app import app  # noqa: F401  what hypercorn serves
from ministack.services import stepfunctions
from ministack.services.cloudformation.provisioners import _RESOURCE_HANDLERS


def answer(response):
    status, _, body = response
    body = json.loads(body)
    if status >= 400:
        raise ValueError(body.get("message", body))
    return body


def publish(logical_id, properties, stack_name):
    wanted = {
        "stateMachineArn": properties["StateMachineArn"],
        "revisionId": properties.get("StateMachineRevisionId"),
    }
    version = answer(stepfunctions._publish_state_machine_version(wanted))
    return version["stateMachineVersionArn"], {"Arn": version["stateMachineVersionArn"]}


def publish_again(arn, old, new, stack_name):
    return publish(None, new, stack_name) if old != new else (arn, {"Arn": arn})


def unpublish(arn, properties):
    answer(stepfunctions._delete_state_machine_version({"stateMachineVersionArn": arn}))


def routes(properties):
    version = properties["DeploymentPreference"]["StateMachineVersionArn"]
    return [{"stateMachineVersionArn": version, "weight": 100}]


def name_alias(logical_id, properties, stack_name):
    wanted = {"name": properties["Name"], "routingConfiguration": routes(properties)}
    alias = answer(stepfunctions._create_state_machine_alias(wanted))
    return alias["stateMachineAliasArn"], {"Arn": alias["stateMachineAliasArn"]}


def move_alias(arn, old, new, stack_name):
    wanted = {"stateMachineAliasArn": arn, "routingConfiguration": routes(new)}
    answer(stepfunctions._update_state_machine_alias(wanted))
    return arn, {"Arn": arn}


def drop_alias(arn, properties):
    answer(stepfunctions._delete_state_machine_alias({"stateMachineAliasArn": arn}))


_RESOURCE_HANDLERS["AWS::StepFunctions::StateMachineVersion"] = {
    "create": publish,
    "update": publish_again,
    "delete": unpublish,
}
_RESOURCE_HANDLERS["AWS::StepFunctions::StateMachineAlias"] = {
    "create": name_alias,
    "update": move_alias,
    "delete": drop_alias,
}


def over_one_metric(properties):
    stats = [metric["MetricStat"] for metric in properties.get("Metrics", []) if "MetricStat" in metric]
    if not stats:
        return properties
    rest = {key: value for key, value in properties.items() if key != "Metrics"}
    return rest | stats[0]["Metric"] | {"Statistic": stats[0]["Stat"], "Period": stats[0]["Period"]}


alarm = _RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
_RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"] = alarm | {
    "create": lambda name, properties, stack: alarm["create"](
        name, over_one_metric(properties), stack
    ),
    "update": lambda physical, old, new, stack, logical: alarm["update"](
        physical, over_one_metric(old), over_one_metric(new), stack, logical
    ),
    "delete": lambda physical, properties: alarm["delete"](physical, over_one_metric(properties)),
}

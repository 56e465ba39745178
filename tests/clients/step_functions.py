#!/usr/bin/env python3
"""Walks through Step Functions with clients as they are: boto3, and the AWS CLI.

Needs: a release build of `local`, and for the interpreter that runs it `pip install boto3 awscli`.
Usage: python3 tests/clients/step_functions.py [target/release/local]

Starts `local serve` on a data directory of its own; every step asserts what AWS documents. Exit code 1 at the first that
does not hold.
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import threading

from account import Account, until, walk

ROLE = "arn:aws:iam::123456789012:role/walk"
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
# As Step Functions Local has it.
MOCKS = {
    "StateMachines": {"walk-mocked": {"TestCases": {"BusyOnce": {"T": "BusyThenFine"}}}},
    "MockedResponses": {
        "BusyThenFine": {
            "0": {"Throw": {"Error": "Busy", "Cause": "later"}},
            "1-2": {"Return": {"Payload": 1, "StatusCode": 200}},
        }
    },
}
WAIT = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 600, "End": True}}}


class Walk:
    def __init__(self, boto3):
        self.boto3 = boto3
        self.sfn, self.sqs, self.s3 = (boto3.client(name) for name in ("stepfunctions", "sqs", "s3"))

    def machine(self, name, definition, **more):
        return self.sfn.create_state_machine(
            name=name, definition=json.dumps(definition), roleArn=ROLE, **more
        )["stateMachineArn"]

    def start(self, machine, data=None, **more):
        return self.sfn.start_execution(stateMachineArn=machine, input=json.dumps(data or {}), **more)["executionArn"]

    def ended(self, arn, seconds=30):
        return until(lambda: self.sfn.describe_execution(executionArn=arn), lambda found: found["status"] != "RUNNING", seconds)

    def types(self, arn):
        pages = self.sfn.get_paginator("get_execution_history").paginate(executionArn=arn)
        return [event["type"] for page in pages for event in page["events"]]

    def refused(self, error, call, **arguments):
        try:
            call(**arguments)
        except getattr(self.sfn.exceptions, error) as found:
            return found.response["Error"]["Message"]
        raise AssertionError(f"{error} was expected")

    def cli(self, *command):
        """The AWS CLI's answer, parsed."""
        aws = pathlib.Path(sys.executable).parent / "aws"
        ran = subprocess.run([str(aws), "stepfunctions", *command], capture_output=True, text=True)
        assert ran.returncode == 0, (command, ran.stderr)
        return json.loads(ran.stdout) if ran.stdout.strip() else {}


def machines(walk):
    arn = walk.machine("walk-machines", PASS, tags=[{"key": "team", "value": "data"}])
    assert walk.machine("walk-machines", PASS) == arn, "creating the same again changes nothing"
    walk.refused("StateMachineAlreadyExists", walk.machine, name="walk-machines", definition=WAIT)
    walk.refused("InvalidDefinition", walk.machine, name="walk-broken", definition={"StartAt": "X", "States": {}})
    updated = walk.sfn.update_state_machine(stateMachineArn=arn, definition=json.dumps(WAIT), publish=True)
    version = updated["stateMachineVersionArn"]
    assert version == f"{arn}:1", version
    alias = walk.sfn.create_state_machine_alias(
        name="live", routingConfiguration=[{"stateMachineVersionArn": version, "weight": 100}]
    )["stateMachineAliasArn"]
    found = walk.sfn.describe_state_machine(stateMachineArn=alias.rsplit(":", 1)[0])
    assert json.loads(found["definition"]) == WAIT and found["status"] == "ACTIVE"
    assert [tag["key"] for tag in walk.sfn.list_tags_for_resource(resourceArn=arn)["tags"]] == ["team"]
    walk.sfn.untag_resource(resourceArn=arn, tagKeys=["team"])
    assert walk.sfn.list_tags_for_resource(resourceArn=arn)["tags"] == []
    pages = walk.sfn.get_paginator("list_state_machines").paginate()
    assert arn in [machine["stateMachineArn"] for page in pages for machine in page["stateMachines"]]
    walk.sfn.delete_state_machine_alias(stateMachineAliasArn=alias)
    walk.sfn.delete_state_machine_version(stateMachineVersionArn=version)
    walk.sfn.delete_state_machine(stateMachineArn=arn)
    until(lambda: arn in [m["stateMachineArn"] for m in walk.sfn.list_state_machines()["stateMachines"]], lambda there: not there)
    walk.refused("StateMachineDoesNotExist", walk.sfn.describe_state_machine, stateMachineArn=arn)


def executions(walk):
    arn = walk.machine("walk-executions", PASS)
    first = walk.start(arn, {"a": 1}, name="one")
    assert json.loads(walk.ended(first)["output"]) == {"a": 1}
    walk.refused("ExecutionAlreadyExists", walk.start, machine=arn, data={"a": 2}, name="one")
    assert walk.types(first) == ["ExecutionStarted", "PassStateEntered", "PassStateExited", "ExecutionSucceeded"]
    page = walk.sfn.get_execution_history(executionArn=first, maxResults=2, reverseOrder=True, includeExecutionData=False)
    assert [event["id"] for event in page["events"]] == [4, 3] and page["nextToken"]
    assert "output" not in page["events"][0]["executionSucceededEventDetails"]
    listed = walk.sfn.list_executions(stateMachineArn=arn, statusFilter="SUCCEEDED")["executions"]
    assert [execution["name"] for execution in listed] == ["one"]
    walk.refused("InvalidExecutionInput", walk.sfn.start_execution, stateMachineArn=arn, input="{")
    express = walk.machine("walk-express", PASS, type="EXPRESS")
    answered = walk.sfn.start_sync_execution(stateMachineArn=express, input='{"b": 2}')
    assert answered["status"] == "SUCCEEDED" and json.loads(answered["output"]) == {"b": 2}


def stopping(walk):
    running = walk.start(walk.machine("walk-wait", WAIT))
    walk.sfn.stop_execution(executionArn=running, error="Enough", cause="of this")
    ended = walk.ended(running)
    assert (ended["status"], ended["error"], ended["cause"]) == ("ABORTED", "Enough", "of this")
    assert walk.types(running)[-1] == "ExecutionAborted"


def worker(walk, activity, answers):
    """Takes as many tasks as there are answers, each in its turn."""
    for answer in answers:
        task = walk.boto3.client("stepfunctions").get_activity_task(activityArn=activity, workerName="w")
        token = task["taskToken"]
        walk.sfn.send_task_heartbeat(taskToken=token)
        if isinstance(answer, Exception):
            walk.sfn.send_task_failure(taskToken=token, error=type(answer).__name__, cause=str(answer))
        else:
            walk.sfn.send_task_success(taskToken=token, output=json.dumps({**json.loads(task["input"]), **answer}))


def activities_and_redrive(walk):
    activity = walk.sfn.create_activity(name="walk-activity")["activityArn"]
    assert walk.sfn.describe_activity(activityArn=activity)["name"] == "walk-activity"
    arn = walk.machine(
        "walk-redrive",
        {
            "StartAt": "Before",
            "States": {
                "Before": {"Type": "Pass", "Next": "Work"},
                "Work": {"Type": "Task", "Resource": activity, "HeartbeatSeconds": 60, "End": True},
            },
        },
    )
    hand = threading.Thread(target=worker, args=(walk, activity, [ValueError("not yet"), {"done": True}]))
    hand.start()
    execution = walk.start(arn, {"n": 7})
    ended = walk.ended(execution)
    assert (ended["status"], ended["error"], ended["redriveStatus"]) == ("FAILED", "ValueError", "REDRIVABLE")
    walk.sfn.redrive_execution(executionArn=execution)
    ended = walk.ended(execution)
    hand.join()
    assert ended["status"] == "SUCCEEDED" and json.loads(ended["output"]) == {"n": 7, "done": True}
    types = walk.types(execution)
    assert types.count("PassStateEntered") == 1 and types.count("ExecutionRedriven") == 1, types
    assert ended["redriveCount"] == 1
    walk.refused("ExecutionNotRedrivable", walk.sfn.redrive_execution, executionArn=execution)
    walk.sfn.delete_activity(activityArn=activity)
    walk.refused("ActivityDoesNotExist", walk.sfn.describe_activity, activityArn=activity)


def callback(walk):
    queue = walk.sqs.create_queue(QueueName="walk-queue")["QueueUrl"]
    arn = walk.machine(
        "walk-callback",
        {
            "QueryLanguage": "JSONata",
            "StartAt": "Ask",
            "States": {
                "Ask": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
                    "Arguments": {"QueueUrl": queue, "MessageBody": {"token": "{% $states.context.Task.Token %}"}},
                    "End": True,
                }
            },
        },
    )
    execution = walk.start(arn)
    found = until(
        lambda: walk.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=1).get("Messages", []), lambda messages: messages
    )
    token = json.loads(found[0]["Body"])["token"]
    walk.sfn.send_task_heartbeat(taskToken=token)
    walk.sfn.send_task_success(taskToken=token, output='{"approved": true}')
    assert json.loads(walk.ended(execution)["output"]) == {"approved": True}
    walk.refused("TaskTimedOut", walk.sfn.send_task_success, taskToken=token, output="{}")
    walk.refused("InvalidToken", walk.sfn.send_task_success, taskToken="none of ours", output="{}")


def nested(walk):
    inner = walk.machine("walk-inner", PASS)
    outer = walk.machine(
        "walk-outer",
        {
            "StartAt": "Call",
            "States": {
                "Call": {
                    "Type": "Task",
                    "Resource": "arn:aws:states:::states:startExecution.sync:2",
                    "Parameters": {"StateMachineArn": inner, "Input": {"deep": True}},
                    "OutputPath": "$.Output",
                    "End": True,
                }
            },
        },
    )
    ended = walk.ended(walk.start(outer))
    assert json.loads(ended["output"]) == {"deep": True}, ended


def map_runs(walk):
    walk.s3.create_bucket(Bucket="walk-items")
    walk.s3.put_object(Bucket="walk-items", Key="items.csv", Body=b"id,name\n1,a\n2,b\n3,c\n")
    arn = walk.machine(
        "walk-map",
        {
            "StartAt": "M",
            "States": {
                "M": {
                    "Type": "Map",
                    "ItemReader": {
                        "Resource": "arn:aws:states:::s3:getObject",
                        "ReaderConfig": {"InputType": "CSV", "CSVHeaderLocation": "FIRST_ROW"},
                        "Parameters": {"Bucket": "walk-items", "Key": "items.csv"},
                    },
                    "ItemBatcher": {"MaxItemsPerBatch": 2},
                    "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}, **PASS},
                    "ResultWriter": {
                        "Resource": "arn:aws:states:::s3:putObject",
                        "Parameters": {"Bucket": "walk-items", "Prefix": "out"},
                    },
                    "End": True,
                }
            },
        },
    )
    execution = walk.start(arn)
    written = json.loads(walk.ended(execution)["output"])["ResultWriterDetails"]
    manifest = json.loads(walk.s3.get_object(Bucket=written["Bucket"], Key=written["Key"])["Body"].read())
    assert len(manifest["ResultFiles"]["SUCCEEDED"]) == 1, manifest
    runs = walk.sfn.list_map_runs(executionArn=execution)["mapRuns"]
    found = walk.sfn.describe_map_run(mapRunArn=runs[0]["mapRunArn"])
    assert found["status"] == "SUCCEEDED" and found["executionCounts"]["succeeded"] == 2, found
    children = walk.sfn.list_executions(mapRunArn=runs[0]["mapRunArn"])["executions"]
    assert len(children) == 2
    assert json.loads(walk.ended(children[0]["executionArn"])["output"])["Items"]


def test_state(walk):
    task = {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {"FunctionName": "f", "Payload.$": "$"},
        "ResultSelector": {"total.$": "$.Payload.total"},
        "ResultPath": "$.found",
        "Retry": [{"ErrorEquals": ["Busy"], "IntervalSeconds": 3, "BackoffRate": 2, "MaxAttempts": 2}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Mend"}],
        "Next": "Done",
    }
    ask = lambda **more: walk.sfn.test_state(definition=json.dumps(task), input='{"n": 1}', inspectionLevel="DEBUG", **more)
    found = ask(mock={"result": '{"Payload": {"total": 5}, "StatusCode": 200}'})
    assert (found["status"], found["nextState"]) == ("SUCCEEDED", "Done"), found
    assert json.loads(found["output"]) == {"n": 1, "found": {"total": 5}}
    assert json.loads(found["inspectionData"]["afterResultSelector"]) == {"total": 5}
    busy = {"errorOutput": {"error": "Busy", "cause": "later"}}
    found = ask(mock=busy, stateConfiguration={"retrierRetryCount": 1})
    assert found["status"] == "RETRIABLE", found
    assert found["inspectionData"]["errorDetails"] == {"retryIndex": 0, "retryBackoffIntervalSeconds": 6}
    found = ask(mock=busy, stateConfiguration={"retrierRetryCount": 2})
    assert (found["status"], found["nextState"]) == ("CAUGHT_ERROR", "Mend")
    message = walk.refused("ValidationException", ask, mock={"result": '{"StatusCode": "200"}'})
    assert message.endswith("Field 'StatusCode' must be a number"), message


def mocked_services(walk):
    task = {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Parameters": {"FunctionName": "none"}, "End": True}
    task["Retry"] = [{"ErrorEquals": ["Busy"], "IntervalSeconds": 1, "MaxAttempts": 1}]
    arn = walk.machine("walk-mocked", {"StartAt": "T", "States": {"T": task}})
    ended = walk.ended(walk.start(f"{arn}#BusyOnce"))
    assert json.loads(ended["output"]) == {"Payload": 1, "StatusCode": 200}, ended
    walk.refused("ValidationException", walk.start, machine=f"{arn}#None")


def validating(walk):
    ask = lambda definition: walk.sfn.validate_state_machine_definition(definition=json.dumps(definition))
    assert ask(PASS)["result"] == "OK"
    found = ask({"StartAt": "A", "States": {"A": {"Type": "Pass", "Next": "B"}}})
    assert found["result"] == "FAIL"
    assert "MISSING_TRANSITION_TARGET" in [diagnostic["code"] for diagnostic in found["diagnostics"]], found


def command_line(walk):
    made = walk.cli("create-state-machine", "--name", "walk-cli", "--role-arn", ROLE, "--definition", json.dumps(WAIT))
    arn = made["stateMachineArn"]
    running = walk.cli("start-execution", "--state-machine-arn", arn, "--input", '{"k": 1}')["executionArn"]
    assert walk.cli("describe-execution", "--execution-arn", running)["status"] == "RUNNING"
    walk.cli("stop-execution", "--execution-arn", running, "--error", "E")
    until(lambda: walk.cli("describe-execution", "--execution-arn", running), lambda found: found["status"] == "ABORTED")
    events = walk.cli("get-execution-history", "--execution-arn", running, "--max-items", "2")
    assert len(events["events"]) == 2 and events["NextToken"]
    walk.cli("redrive-execution", "--execution-arn", running)
    listed = walk.cli("list-executions", "--state-machine-arn", arn, "--status-filter", "RUNNING")["executions"]
    assert [execution["redriveCount"] for execution in listed] == [1]
    walk.cli("stop-execution", "--execution-arn", running)
    activity = walk.cli("create-activity", "--name", "walk-cli-activity")["activityArn"]
    assert walk.cli("list-activities")["activities"][0]["activityArn"] == activity
    found = walk.cli(
        "test-state", "--definition", '{"Type": "Pass", "Parameters": {"b.$": "$.a"}, "End": true}', "--input", '{"a": 2}',
        "--inspection-level", "TRACE",
    )
    assert json.loads(found["output"]) == {"b": 2} and found["inspectionData"]["afterParameters"] == '{"b":2}'
    found = walk.cli("validate-state-machine-definition", "--definition", '{"StartAt": "A", "States": {}}')
    assert found["result"] == "FAIL"
    walk.cli("delete-state-machine", "--state-machine-arn", arn)


STEPS = [
    machines, executions, stopping, activities_and_redrive, callback, nested, map_runs, test_state, mocked_services,
    validating, command_line,
]


def main():
    local = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.NamedTemporaryFile("w", suffix=".json") as mocks:
        json.dump(MOCKS, mocks)
        mocks.flush()
        with Account(local, "--mock-config", mocks.name):
            import boto3

            walk(STEPS, Walk(boto3))
            print(f"{len(STEPS)} of {len(STEPS)} steps with boto3 {boto3.__version__} and the AWS CLI")


if __name__ == "__main__":
    main()

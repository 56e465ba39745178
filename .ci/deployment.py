"""Deploys the template to MiniStack on a loopback port, as a newcomer deploys it to AWS, and
holds the emulator to what is promised: two stages side by side, an arrival starts a run by the
alias, deploying again changes nothing, deleting leaves only the buckets.

    deployment.py TEMPLATE WORK EMULATOR-PYTHON

TEMPLATE is a built one (`sam build`, or prove's own artifacts); WORK a folder for logs. Runs in
an environment that has aws-sam-cli. Prints one line a proof; exits 1 at the first that fails.
"""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import time

import boto3

ACCOUNT = "123456789012"
REGION = "us-east-1"
PATIENCE_SECONDS = 90
STACKS = {"nyctaxi-one": "one", "nyctaxi-two": "two"}
BIN = pathlib.Path(sys.executable).parent


class Failed(Exception):
    pass


def expect(holds, message):
    if not holds:
        raise Failed(message)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def emulator(python, work):
    """A MiniStack that lives as long as the block. Nothing in it can reach a real account."""
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    environment = os.environ | {
        "AWS_ENDPOINT_URL": endpoint,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "LAMBDA_EXECUTOR": "local",
        "TMPDIR": str(work),
        "PYTHONPATH": str(pathlib.Path(__file__).parent),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    command = [python, "-m", "hypercorn", "emulator:app", "--bind", f"127.0.0.1:{port}"]
    with open(work / "emulator.log", "wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=work)
        try:
            wait_for(lambda: answers(process, port), "MiniStack does not start: see emulator.log")
            yield endpoint
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def answers(process, port):
    expect(process.poll() is None, "MiniStack has ended: see emulator.log")
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def wait_for(condition, message):
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.5)
    raise Failed(message)


class Account:
    def __init__(self, endpoint, template, work):
        self.template, self.work = template, work
        os.environ.update(
            AWS_ENDPOINT_URL=endpoint,
            AWS_ACCESS_KEY_ID="local",
            AWS_SECRET_ACCESS_KEY="local",
            AWS_DEFAULT_REGION=REGION,
            AWS_EC2_METADATA_DISABLED="true",
            SAM_CLI_TELEMETRY="0",
        )

    def client(self, service):
        return boto3.client(service, region_name=REGION)

    def sam(self, action, *arguments):
        command = [str(BIN / "sam"), action, "--region", REGION, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.work)
        with open(self.work / "sam.log", "a", encoding="utf-8") as log:
            log.write(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}\n")
        return done

    def deploy(self, stack, *parameters):
        values = [
            f"Stage={STACKS[stack]}",
            "Architecture=x86_64",
            "SourceUrl=http://127.0.0.1:9",
            "AlarmEmail=nobody@example.com",
            *parameters,
        ]
        done = self.sam(
            "deploy",
            *("--template-file", str(self.template), "--stack-name", stack),
            *("--capabilities", "CAPABILITY_IAM", "--resolve-s3", "--s3-prefix", stack),
            *("--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar"),
            *("--tags", "application=nyctaxi"),
            *("--parameter-overrides", " ".join(values)),
        )
        expect(done.returncode == 0, f"sam deploy of {stack} failed: see sam.log\n{done.stderr}")
        return done.stdout + done.stderr

    def outputs(self, stack):
        [described] = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        expect(described["StackStatus"].endswith("_COMPLETE"), f"{stack}: {described['StackStatus']}")
        return {output["OutputKey"]: output["OutputValue"] for output in described["Outputs"]}

    def resources(self, stack):
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        return [
            (resource["ResourceType"], resource["PhysicalResourceId"])
            for page in pages.paginate(StackName=stack)
            for resource in page["StackResourceSummaries"]
        ]

    def executions(self, outputs):
        listed = self.client("stepfunctions").list_executions(
            stateMachineArn=outputs["StateMachineArn"]
        )
        return listed["executions"]


def arrival_starts_a_run(account, outputs):
    bucket, key = outputs["RawBucketName"], "arrivals/green_tripdata_2024-01.parquet"
    account.client("s3").put_object(Bucket=bucket, Key=key, Body=b"PAR1")
    states = account.client("stepfunctions")

    def planned():
        """The run, when the deployed binary has answered its first task."""
        for execution in account.executions(outputs):
            described = states.describe_execution(executionArn=execution["executionArn"])
            history = states.get_execution_history(executionArn=execution["executionArn"])
            types = [event["type"] for event in history["events"]]
            if key in described["input"] and any(name.endswith("Succeeded") for name in types):
                return described
        return None

    wait_for(planned, f"s3://{bucket}/{key} started no run that got past its first task")


def triggers_start_the_alias(account, stack, outputs):
    resources = account.resources(stack)
    [rule] = [name for kind, name in resources if kind == "AWS::Events::Rule"]
    [schedule] = [name for kind, name in resources if kind == "AWS::Scheduler::Schedule"]
    targets = account.client("events").list_targets_by_rule(Rule=rule)["Targets"]
    schedule = account.client("scheduler").get_schedule(Name=schedule)
    started = {target["Arn"] for target in targets} | {schedule["Target"]["Arn"]}
    expect(started == {outputs["StateMachineAliasArn"]}, f"rule and schedule start {started}")


def a_changed_definition_moves_the_alias(account, stack, outputs):
    states = account.client("stepfunctions")
    alias = outputs["StateMachineAliasArn"]

    def version():
        described = states.describe_state_machine_alias(stateMachineAliasArn=alias)
        return described["routingConfiguration"][0]["stateMachineVersionArn"]

    before = version()
    account.deploy(stack, "MaxConcurrency=6")
    expect(version() != before, f"{alias} still names {before} after the definition changed")


def left_after_delete(account, resources):
    """What still exists of the types that must go."""
    iam, queues = account.client("iam"), account.client("sqs").list_queues().get("QueueUrls", [])
    schedules = account.client("scheduler").list_schedules()["Schedules"]
    names = {
        "AWS::Lambda::Function": [
            found["FunctionName"] for found in account.client("lambda").list_functions()["Functions"]
        ],
        "AWS::StepFunctions::StateMachine": [
            found["stateMachineArn"]
            for found in account.client("stepfunctions").list_state_machines()["stateMachines"]
        ],
        "AWS::IAM::Role": [found["RoleName"] for found in iam.list_roles()["Roles"]],
        "AWS::SQS::Queue": queues,
        "AWS::SNS::Topic": [
            found["TopicArn"] for found in account.client("sns").list_topics()["Topics"]
        ],
        "AWS::Events::Rule": [
            found["Name"] for found in account.client("events").list_rules()["Rules"]
        ],
        "AWS::Scheduler::Schedule": [found["Name"] for found in schedules],
        "AWS::CloudWatch::Alarm": [
            found["AlarmName"]
            for found in account.client("cloudwatch").describe_alarms()["MetricAlarms"]
        ],
        "AWS::Logs::LogGroup": [
            found["logGroupName"]
            for found in account.client("logs").describe_log_groups()["logGroups"]
        ],
        "AWS::Glue::Database": [
            found["Name"] for found in account.client("glue").get_databases()["DatabaseList"]
        ],
        "AWS::Athena::WorkGroup": [
            found["Name"] for found in account.client("athena").list_work_groups()["WorkGroups"]
        ],
    }
    return [(kind, name) for kind, name in resources if name in names.get(kind, [])]


def proofs(account):
    one, two = STACKS
    account.deploy(one)
    first = account.outputs(one)
    made = account.resources(one)
    yield f"sam deploy: {len(made)} resources"
    arrival_starts_a_run(account, first)
    yield "an arrival starts a run, and the deployed function answers"
    triggers_start_the_alias(account, one, first)
    yield "rule and schedule start the alias"
    expect("No changes to deploy" in account.deploy(one), "deploying again changed something")
    yield "sam deploy again: no changes"
    a_changed_definition_moves_the_alias(account, one, first)
    yield "a changed definition is published, and the alias names it"
    account.deploy(two)
    second = account.outputs(two)
    shared = {value for value in first.values()} & {value for value in second.values()}
    expect(not shared, f"two stages share {', '.join(sorted(shared))}")
    both = {name for _, name in made} & {name for _, name in account.resources(two)}
    expect(not both, f"two stages share {', '.join(sorted(both))}")
    before = len(account.executions(first))
    arrival_starts_a_run(account, second)
    expect(len(account.executions(first)) == before, "an arrival of one stage started the other")
    yield "a second stage beside the first: nothing shared"
    made += account.resources(two)
    for stack in STACKS:
        done = account.sam("delete", "--no-prompts", "--stack-name", stack)
        expect(done.returncode == 0, f"sam delete of {stack} failed: see sam.log\n{done.stderr}")
    left = left_after_delete(account, made)
    expect(not left, f"left behind: {left}")
    buckets = {bucket["Name"] for bucket in account.client("s3").list_buckets()["Buckets"]}
    kept = [name for kind, name in made if kind == "AWS::S3::Bucket" and name in buckets]
    expect(len(kept) == 8, f"expected the four buckets of each stage to stay, found {kept}")
    yield f"sam delete: nothing left but the {len(kept)} buckets that are to stay"


def main():
    template, work, python = sys.argv[1:]
    work = pathlib.Path(work).resolve()
    work.mkdir(parents=True, exist_ok=True)
    (work / "sam.log").unlink(missing_ok=True)
    started = time.monotonic()
    try:
        with emulator(str(pathlib.Path(python).absolute()), work) as endpoint:
            for proof in proofs(Account(endpoint, pathlib.Path(template).resolve(), work)):
                print(f"  {proof} ({time.monotonic() - started:.0f}s)", flush=True)
    except Failed as failure:
        print(f"  FAILED: {failure}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""State transitions per second through the API of Step Functions: `local serve` beside MiniStack, in one run.

Needs: a release build (`cargo build --release --workspace --bins`) and, for the interpreter that runs it, `pip install
boto3 ministack`. What is not installed is left out, by name. Both keep histories; each machine's output is checked.
Usage: python3 tests/benches/step_functions.py [--rounds 3] [--executions 10]

A transition is the entry of a state. An execution is started, and described until it has ended; executions run one after
the other, rounds alternate between the sides, and medians are printed. The language alone: tests/benches/transitions.
"""

import argparse
import json
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOCAL = ROOT / "target" / "release" / "local"
ROLE = "arn:aws:iam::123456789012:role/bench"

COUNTER = {
    "StartAt": "More",
    "States": {
        "More": {
            "Type": "Choice",
            "Choices": [{"Variable": "$.n", "NumericLessThan": 1000, "Next": "Add"}],
            "Default": "Done",
        },
        "Add": {"Type": "Pass", "Parameters": {"n.$": "States.MathAdd($.n, 1)"}, "Next": "More"},
        "Done": {"Type": "Succeed"},
    },
}
COUNTER_JSONATA = {
    "QueryLanguage": "JSONata",
    "StartAt": "More",
    "States": {
        "More": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input.n < 1000 %}", "Next": "Add"}],
            "Default": "Done",
        },
        "Add": {"Type": "Pass", "Output": {"n": "{% $states.input.n + 1 %}"}, "Next": "More"},
        "Done": {"Type": "Succeed"},
    },
}
PASS = {"StartAt": "P", "States": {"P": {"Type": "Pass", "End": True}}}
INLINE = {"StartAt": "M", "States": {"M": {"Type": "Map", "ItemProcessor": PASS, "End": True}}}
DISTRIBUTED = {
    "StartAt": "M",
    "States": {
        "M": {
            "Type": "Map",
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}, **PASS},
            "ResultPath": None,
            "End": True,
        }
    },
}
ITEMS = list(range(1000))
# Run once a side, for its memory: items from an object, results nowhere.
MANY = 100_000
BUCKET, KEY = "step-functions-bench", "items.json"
LARGE = {
    "StartAt": "M",
    "States": {
        "M": {
            "Type": "Map",
            "ItemReader": {
                "Resource": "arn:aws:states:::s3:getObject",
                "ReaderConfig": {"InputType": "JSON"},
                "Parameters": {"Bucket": BUCKET, "Key": KEY},
            },
            "ItemProcessor": {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}, **PASS},
            "ResultPath": None,
            "End": True,
        }
    },
}

# Name, definition, input, transitions, and whether an output is right.
MACHINES = [
    ("counter, JSONPath", COUNTER, {"n": 0}, 2002, lambda output: output == {"n": 1000}),
    ("counter, JSONata", COUNTER_JSONATA, {"n": 0}, 2002, lambda output: output == {"n": 1000}),
    ("inline Map, 1,000", INLINE, ITEMS, 1001, lambda output: output == ITEMS),
    ("Distributed Map, 1,000", DISTRIBUTED, ITEMS, 1001, lambda output: output == ITEMS),
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Side:
    def __init__(self, name, command, environment, folder):
        self.name, self.port = name, free_port()
        environment = {**os.environ, **environment(self.port)}
        log = open(folder / f"{name.split()[0]}.log", "wb")
        self.process = subprocess.Popen(command(self.port), env=environment, cwd=ROOT, stdout=log, stderr=log)
        self.wait()
        import boto3

        place = {
            "endpoint_url": f"http://127.0.0.1:{self.port}",
            "region_name": "us-east-1",
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
        self.client = boto3.client("stepfunctions", **place)
        self.s3 = boto3.client("s3", **place)
        self.machines = {
            machine: self.client.create_state_machine(
                name=f"bench-{index}", definition=json.dumps(definition), roleArn=ROLE
            )["stateMachineArn"]
            for index, (machine, definition, *_) in enumerate(MACHINES)
        }

    def wait(self):
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                time.sleep(0.1)
        sys.exit(f"{self.name} does not answer on port {self.port}")

    def run(self, machine, data, executions, is_right):
        """Seconds for so many executions; None where the side does not come to the right answer."""
        begin = time.perf_counter()
        for _ in range(executions):
            arn = self.client.start_execution(stateMachineArn=self.machines[machine], input=json.dumps(data))["executionArn"]
            while (found := self.client.describe_execution(executionArn=arn))["status"] == "RUNNING":
                time.sleep(0.001)
            if found["status"] != "SUCCEEDED" or not is_right(json.loads(found["output"])):
                return None
        return time.perf_counter() - begin

    def large(self):
        """Seconds for a Distributed Map over many items; None where it does not succeed."""
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_object(Bucket=BUCKET, Key=KEY, Body=json.dumps(list(range(MANY))).encode())
        machine = self.client.create_state_machine(name="bench-large", definition=json.dumps(LARGE), roleArn=ROLE)
        begin = time.perf_counter()
        arn = self.client.start_execution(stateMachineArn=machine["stateMachineArn"], input="{}")["executionArn"]
        while (found := self.client.describe_execution(executionArn=arn))["status"] == "RUNNING":
            if time.perf_counter() - begin > 300:
                return None
            time.sleep(0.05)
        return time.perf_counter() - begin if found["status"] == "SUCCEEDED" else None

    def peak(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in status.splitlines() if line.startswith("VmHWM")).split()[1]) / 1024

    def end(self):
        self.process.terminate()
        self.process.wait()


def sides(folder):
    local = Side(
        "local serve",
        lambda port: [str(LOCAL), "serve", "--data-dir", str(folder / "data"), "--port", str(port)],
        lambda _: {},
        folder,
    )
    found = [local]
    ministack = shutil.which("ministack", path=str(pathlib.Path(sys.executable).parent)) or shutil.which("ministack")
    if ministack:
        found.append(Side("ministack", lambda _: [ministack], lambda port: {"GATEWAY_PORT": str(port)}, folder))
    else:
        print("ministack is left out: it is not installed", file=sys.stderr)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--executions", type=int, default=10)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="step-functions-bench-"))
    running = sides(folder)
    try:
        found = {side.name: {machine: [] for machine, *_ in MACHINES} for side in running}
        for round_number in range(options.rounds):
            for machine, _, data, transitions, is_right in MACHINES:
                for side in running:
                    seconds = side.run(machine, data, options.executions, is_right)
                    rate = transitions * options.executions / seconds if seconds else None
                    found[side.name][machine].append(rate)
                    print(f"round {round_number + 1}: {side.name}, {machine}: {rate and round(rate)}", file=sys.stderr)
        before = {side.name: side.peak() for side in running}
        large = {side.name: side.large() for side in running}
        report(options, running, found, before, large)
    finally:
        for side in running:
            side.end()
        shutil.rmtree(folder)


def report(options, running, found, before, large):
    print(f"transitions per second through the API, {options.executions} executions, {options.rounds} rounds, medians")
    print(f"{'':24}" + "".join(f"{side.name:>16}" for side in running) + f"{'ratio':>10}")
    for machine, *_ in MACHINES:
        rates = [found[side.name][machine] for side in running]
        medians = [statistics.median(rate) if None not in rate else None for rate in rates]
        shown = "".join(f"{median:16,.0f}" if median else f"{'wrong answer':>16}" for median in medians)
        ratio = f"{medians[0] / medians[1]:10.1f}" if len(medians) > 1 and all(medians) else ""
        print(f"{machine:24}{shown}{ratio}")
    print(f"{'peak memory, MiB':24}" + "".join(f"{before[side.name]:16.0f}" for side in running))
    shown = (f"{large[side.name]:16.1f}" if large[side.name] else f"{'did not end':>16}" for side in running)
    print(f"{f'Distributed {MANY:,}, s':24}" + "".join(shown))
    print(f"{'peak memory, MiB':24}" + "".join(f"{side.peak():16.0f}" for side in running))


if __name__ == "__main__":
    main()

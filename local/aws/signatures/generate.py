#!/usr/bin/env python3
"""Writes the signatures of AWS's operations as Step Functions takes them, from botocore's models.

    pip install botocore
    python3 local/aws/signatures/generate.py

<service>.txt     an aws-sdk integration: one operation a line, then its arguments, required ones with "!".
                  "errors" are the names of the service's exceptions.
optimised.txt     the optimised integrations, "service:action", the patterns that are offered besides
                  request and response ("sync", "sync2", "token"), "|", arguments; "*" takes any.
                  "service:action/Argument" and "…/*" (a list's or a map's values) say what is inside.
services.txt      the name of every service that aws-sdk integrations may name.
results.txt       what operations answer, for mocked results: "[service]", then "operation shape", then ":shape"
                  with its members, required ones with "!", as "Member=type". A type is "s" (a text, and what JSON
                  has as one), "n", "b", "*" (anything), a shape, "a:type" (a list) or "o:type" (a map). A shape of
                  one word is a number with least and most ("n 0 -") or a text with its values ("s A|B").

Arguments are written with a capital first letter whatever the API does, as Step Functions wants them.
"""
import pathlib

import botocore.session

HERE = pathlib.Path(__file__).parent
SESSION = botocore.session.get_session()

# aws-sdk name -> botocore name: the services that the local side offers to tasks.
SDK = {
    "athena": "athena",
    "cloudwatch": "cloudwatch",
    "cloudwatchlogs": "logs",
    "eventbridge": "events",
    "glue": "glue",
    "lambda": "lambda",
    "s3": "s3",
    "scheduler": "scheduler",
    "sfn": "stepfunctions",
    "sns": "sns",
    "sqs": "sqs",
    "sts": "sts",
}

# Optimised integrations whose arguments are an API's: integration -> (botocore name, {action: patterns}).
# https://docs.aws.amazon.com/step-functions/latest/dg/integrate-optimized.html
OPTIMISED = {
    "athena": ("athena", {"startQueryExecution": "sync", "stopQueryExecution": "", "getQueryExecution": "", "getQueryResults": ""}),
    "batch": ("batch", {"submitJob": "sync"}),
    "bedrock": ("bedrock", {"createModelCustomizationJob": "sync"}),
    "codebuild": ("codebuild", {
        "startBuild": "sync", "stopBuild": "", "batchDeleteBuilds": "", "batchGetReports": "",
        "startBuildBatch": "sync", "stopBuildBatch": "", "retryBuildBatch": "sync", "deleteBuildBatch": "sync",
    }),
    "databrew": ("databrew", {"startJobRun": "sync"}),
    "dynamodb": ("dynamodb", {"getItem": "", "putItem": "", "deleteItem": "", "updateItem": ""}),
    "ecs": ("ecs", {"runTask": "sync token"}),
    "eks": ("eks", {
        "createCluster": "sync", "deleteCluster": "sync", "createNodegroup": "sync",
        "deleteNodegroup": "sync", "createFargateProfile": "sync", "deleteFargateProfile": "sync",
    }),
    "emr-containers": ("emr-containers", {"createVirtualCluster": "", "deleteVirtualCluster": "sync", "startJobRun": "sync"}),
    "emr-serverless": ("emr-serverless", {
        "createApplication": "sync", "startApplication": "sync", "stopApplication": "sync",
        "deleteApplication": "sync", "startJobRun": "sync", "cancelJobRun": "sync",
    }),
    "events": ("events", {"putEvents": "token"}),
    "glue": ("glue", {"startJobRun": "sync"}),
    "lambda": ("lambda", {"invoke": "token"}),
    "mediaconvert": ("mediaconvert", {"createJob": "sync"}),
    "sagemaker": ("sagemaker", {
        "createEndpoint": "", "createEndpointConfig": "", "createHyperParameterTuningJob": "sync",
        "createLabelingJob": "sync", "createModel": "", "createProcessingJob": "sync",
        "createTrainingJob": "sync", "createTransformJob": "sync", "updateEndpoint": "",
    }),
    "sns": ("sns", {"publish": "token"}),
    "sqs": ("sqs", {"sendMessage": "token"}),
    "states": ("stepfunctions", {"startExecution": "sync sync2 token"}),
}
# Their arguments are described to the depth that the API has.
DEEP = {"athena", "dynamodb", "events", "glue", "lambda", "sns", "sqs", "states"}

# Optimised integrations with arguments of their own.
OWN = """\
apigateway:invoke token | ApiEndpoint! Method! AllowNullValues AuthType Headers Path QueryParameters RequestBody Stage
bedrock:invokeModel token | ModelId! Accept Body ContentType GuardrailIdentifier GuardrailVersion Input Output PerformanceConfigLatency Trace
eks:call | CertificateAuthority! ClusterName! Endpoint! Method! Path! QueryParameters RequestBody
eks:runJob sync token | CertificateAuthority! ClusterName! Endpoint! Job! LogOptions Namespace
elasticmapreduce:addStep sync | ClusterId! Step! ExecutionRoleArn
elasticmapreduce:cancelStep | ClusterId! StepId!
elasticmapreduce:createCluster sync | Instances! Name! *
elasticmapreduce:modifyInstanceFleetByName | ClusterId! InstanceFleet! InstanceFleetName!
elasticmapreduce:modifyInstanceGroupByName | ClusterId! InstanceGroup! InstanceGroupName!
elasticmapreduce:setClusterTerminationProtection | ClusterId! TerminationProtected!
elasticmapreduce:terminateCluster sync | ClusterId!
http:invoke | ApiEndpoint! Method! Authentication Headers InvocationConfig QueryParameters RequestBody Transform
"""


def capital(name):
    return name[0].upper() + name[1:]


def small(name):
    return name[0].lower() + name[1:]


def members(shape):
    # The SDKs make up an idempotency token that is not given.
    given = lambda name: not shape.members[name].metadata.get("idempotencyToken")
    required = {name for name in shape.required_members if given(name)}
    names = sorted(shape.members, key=lambda name: (name not in required, name))
    return " ".join(capital(name) + ("!" if name in required else "") for name in names)


def inside(path, shape, seen, lines):
    """The structures within a shape, each with its path."""
    if shape.type_name == "structure" and not getattr(shape, "document", False):
        if shape.name in seen or len(path.split("/")) > 6:
            return
        if len(path.split("/")) > 1:
            lines.append(f"{path} {members(shape)}".rstrip())
        for name, inner in sorted(shape.members.items()):
            inside(f"{path}/{capital(name)}", inner, seen | {shape.name}, lines)
    elif shape.type_name == "list":
        inside(path + "/*", shape.member, seen, lines)
    elif shape.type_name == "map":
        inside(path + "/*", shape.value, seen, lines)


def operation(model, name):
    shape = model.operation_model(name).input_shape
    return (members(shape) if shape else ""), shape


def errors(model):
    names = {error.metadata.get("error", {}).get("code", error.name) for error in model.error_shapes}
    names |= {error.name for error in model.error_shapes}
    return "errors " + " ".join(sorted(names)) + "\n"


for sdk, botocore_name in SDK.items():
    model = SESSION.get_service_model(botocore_name)
    lines = [f"{small(name)} {operation(model, name)[0]}".rstrip() for name in sorted(model.operation_names)]
    (HERE / f"{sdk}.txt").write_text("\n".join(lines) + "\n" + errors(model))

lines = OWN.splitlines()
for integration, (botocore_name, actions) in OPTIMISED.items():
    model = SESSION.get_service_model(botocore_name)
    for action, patterns in actions.items():
        arguments, shape = operation(model, capital(action))
        head = f"{integration}:{action} {patterns}".rstrip()
        lines.append(f"{head} | {arguments}".rstrip())
        if integration in DEEP:
            deeper = []
            inside(f"{integration}:{action}", shape, frozenset(), deeper)
            lines.extend(line.replace(" ", " | ", 1) if " " in line else line + " |" for line in deeper)
(HERE / "optimised.txt").write_text("\n".join(sorted(lines)) + "\n")

services = set()
for botocore_name in SESSION.get_available_services():
    service_id = SESSION.get_service_model(botocore_name).metadata["serviceId"]
    services.add("".join(letter for letter in service_id.lower() if letter.isalnum()))
(HERE / "services.txt").write_text("\n".join(sorted(services)) + "\n")


class Results:
    """What the operations of one service answer."""

    SCALARS = {
        "string": "s", "character": "s", "blob": "s", "timestamp": "s",
        "integer": "n", "long": "n", "float": "n", "double": "n", "bigdecimal": "n", "biginteger": "n", "boolean": "b",
    }

    def __init__(self, model):
        self.model, self.shapes = model, {}

    def operation(self, name):
        shape = self.model.operation_model(name).output_shape
        return f"{small(name)} {self.type(shape) if shape else '*'}"

    def type(self, shape):
        kind = shape.type_name
        if kind == "list":
            return "a:" + self.type(shape.member)
        if kind == "map":
            return "o:" + self.type(shape.value)
        if kind == "structure":
            if getattr(shape, "document", False) or getattr(shape, "eventstream", False):
                return "*"
            self.structure(shape)
            return shape.name
        return self.scalar(shape)

    def structure(self, shape):
        if shape.name in self.shapes:
            return
        self.shapes[shape.name] = ""
        required = set(shape.required_members)
        members = [
            f"{capital(name)}{'!' if name in required else ''}={self.type(member)}"
            for name, member in sorted(shape.members.items())
        ]
        self.shapes[shape.name] = " ".join(members)

    def scalar(self, shape):
        letter = self.SCALARS[shape.type_name]
        values = getattr(shape, "enum", [])
        bounds = [shape.metadata.get(name) for name in ("min", "max")]
        if letter == "s" and values:
            self.shapes[shape.name] = "s " + "|".join(value.replace(" ", "_") for value in values)
            return shape.name
        if letter == "n" and any(bound is not None for bound in bounds):
            self.shapes[shape.name] = "n " + " ".join("-" if bound is None else str(bound) for bound in bounds)
            return shape.name
        return letter

    def lines(self, section, operations):
        found = [self.operation(name) for name in operations]
        return [f"[{section}]", *found, *(f":{name} {text}".rstrip() for name, text in sorted(self.shapes.items()))]


# The answers of these are longer than those of all others together.
TOO_LARGE = {"mediaconvert"}

# The services whose optimised integrations are not also services of the local side.
results = []
for sdk, botocore_name in SDK.items():
    model = SESSION.get_service_model(botocore_name)
    results += Results(model).lines(sdk, sorted(model.operation_names))
for integration, (botocore_name, actions) in OPTIMISED.items():
    if botocore_name not in SDK.values() and integration not in TOO_LARGE:
        model = SESSION.get_service_model(botocore_name)
        results += Results(model).lines(integration, [capital(action) for action in actions])
(HERE / "results.txt").write_text("\n".join(results) + "\n")

"""What parliament says of every policy of an expanded template, as JSON on stdout.

Runs in an environment that has parliament.
"""

import json
import sys

from parliament import analyze_policy_string


def documents(resources):
    for name, resource in resources.items():
        properties = resource["Properties"]
        match resource["Type"]:
            case "AWS::IAM::Role":
                for policy in properties.get("Policies", []):
                    yield name, policy["PolicyDocument"]
            case "AWS::IAM::ManagedPolicy" | "AWS::IAM::Policy":
                yield name, properties["PolicyDocument"]


def rule(finding):
    """The issue, with the action it is about."""
    detail = finding.detail
    if isinstance(detail, list) and detail:
        return f"{finding.issue} {detail[0].get('action')}"
    return f"{finding.issue} {', '.join(finding.location.get('actions', []))}".strip()


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        resources = json.load(file)["Resources"]
    count, findings = 0, []
    for name, document in documents(resources):
        count += 1
        text = json.dumps({"Version": "2012-10-17"} | document)
        analyzed = analyze_policy_string(text, include_community_auditors=True)
        findings += [{"rule": rule(finding), "where": name} for finding in analyzed.findings]
    json.dump({"policies": count, "findings": findings}, sys.stdout)


if __name__ == "__main__":
    main()

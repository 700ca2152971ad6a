"""Say what this machine lacks for the infrastructure verbs: one line a finding, each with its fix."""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from infra.common import ENVIRONMENTS, INFRA, run_main, say

# 2.45.0 is reported to break `az ml job create --stream`, which CI relies on; 2.44.1 is the newest before it.
ML_EXTENSION = "2.44.1"
AZ_OLDEST = (2, 75, 0)
TERRAFORM_OLDEST = (1, 9, 0)
SECONDS = 60
PROVIDERS = ("Microsoft.MachineLearningServices", "Microsoft.ContainerService", "Microsoft.KubernetesConfiguration")
FAMILY = "standardDSv5Family"  # of the node sizes Standard_D<cores>s_v5 in environments/*.tfvars
DOCUMENTATION_RANGE = "203.0.113.0/24"


class Finding(NamedTuple):
    """One line of the report. `fix` is empty where nothing is missing."""

    what: str
    state: str
    fix: str = ""


class Call(NamedTuple):
    """What a program answered; `code` is None where it is not installed."""

    code: int | None
    out: str


def call(*command: str) -> Call:
    """Run a program with a time limit."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except FileNotFoundError:
        return Call(None, "")
    except subprocess.TimeoutExpired:
        return Call(124, "")
    return Call(done.returncode, done.stdout)


def parsed(answer: Call) -> Any:
    """Read an answer as JSON; None where the call failed or said nothing of the kind."""
    try:
        return json.loads(answer.out) if answer.code == 0 else None
    except json.JSONDecodeError:
        return None


# Large results and uploads go to storage hosts of the account's own, beside *.snowflakecomputing.com:
# https://docs.snowflake.com/en/sql-reference/functions/system_allowlist
STAGE_HOSTS_QUERY = (
    "select value:host::varchar from table(flatten(parse_json(system$allowlist()))) where value:type = 'STAGE'"
)


def version_of(text: str) -> tuple[int, ...]:
    """Read the first dotted number of a text; () where there is none."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


def dotted(version: Sequence[int]) -> str:
    """Write a version with dots."""
    return ".".join(map(str, version))


def check_python() -> Finding:
    """Python 3.11, which the lock is made for."""
    here = sys.version_info[:2]
    return Finding("python", dotted(here), "" if here == (3, 11) else "install Python 3.11, then: make setup")


def check_terraform() -> Finding:
    """Terraform, new enough for validations across variables."""
    found = parsed(call("terraform", "version", "-json"))
    version = version_of(found["terraform_version"]) if found else ()
    if version >= TERRAFORM_OLDEST:
        return Finding("terraform", dotted(version))
    want = f"install terraform >= {dotted(TERRAFORM_OLDEST)}: https://developer.hashicorp.com/terraform/install"
    return Finding("terraform", dotted(version) or "missing", want)


def check_az() -> list[Finding]:
    """The Azure CLI and its ml extension at the pinned version."""
    found = parsed(call("az", "version", "--output", "json"))
    if not found:
        return [Finding("az", "missing", "install the Azure CLI: https://aka.ms/azure-cli")]
    version = version_of(found["azure-cli"])
    az = Finding("az", dotted(version), "" if version >= AZ_OLDEST else "az upgrade --yes")
    ml = found.get("extensions", {}).get("ml")
    add = f"az extension add --name ml --version {ML_EXTENSION} --yes"
    if ml is None:
        return [az, Finding("az ml extension", "missing", add)]
    fix = "" if ml == ML_EXTENSION else f"az extension remove --name ml && {add}"
    return [az, Finding("az ml extension", ml, fix)]


def check_login() -> tuple[list[Finding], str | None]:
    """Who is signed in, to which subscription; the id is None where nobody is."""
    account = parsed(call("az", "account", "show", "--output", "json"))
    if not account:
        return [Finding("login", "nobody is signed in", "az login && az account set --subscription <id>")], None
    who = account.get("user", {}).get("name", "?")
    state = account.get("state", "Enabled")
    fix = "" if state == "Enabled" else "az account set --subscription <id of an enabled one>"
    named = f"{account.get('name', '?')} ({account['id']}), {state}"
    return [Finding("login", who), Finding("subscription", named, fix)], account["id"]


def check_providers() -> list[Finding]:
    """Resource providers that a first deployment needs; Terraform registers them, which takes rights and time."""
    findings = []
    for name in PROVIDERS:
        found = parsed(call("az", "provider", "show", "--namespace", name, "--output", "json"))
        state = (found or {}).get("registrationState", "not visible")
        fix = "" if state == "Registered" else f"az provider register --namespace {name} --wait"
        findings.append(Finding(f"provider {name}", state, fix))
    return findings


def check_host_encryption() -> Finding:
    """The subscription's feature that the nodes' disks need."""
    name = ("--namespace", "Microsoft.Compute", "--name", "EncryptionAtHost")
    found = parsed(call("az", "feature", "show", *name, "--output", "json"))
    state = ((found or {}).get("properties") or {}).get("state", "not visible")
    fix = "" if state == "Registered" else f"az feature register {' '.join(name)}"
    return Finding("encryption at host", state, fix)


def cores_of(env: str, infra: Path) -> int:
    """Cores of both AKS pools at their most, as an environment's tfvars say."""
    text = (infra / "environments" / f"{env}.tfvars").read_text(encoding="utf-8")
    pools = re.findall(r'^aks_\w+\s*=\s*\{.*"Standard_D(\d+)s_v5".*max\s*=\s*(\d+)', text, re.M)
    return sum(int(cores) * int(nodes) for cores, nodes in pools)


def check_quota(subscription: str, location: str, cores: int) -> Finding:
    """Free cores of the nodes' machine family in one region, against what the autoscaler may ask for."""
    compute = f"/subscriptions/{subscription}/providers/Microsoft.Compute"
    url = f"{compute}/locations/{location}/usages?api-version=2024-07-01"
    found = parsed(call("az", "rest", "--method", "get", "--url", url, "--output", "json"))
    if not found:
        return Finding("quota", f"not visible in {location}", "ask for Reader on the subscription")
    free = {use["name"]["value"]: use["limit"] - use["currentValue"] for use in found.get("value", [])}
    have = free.get(FAMILY, 0)
    fix = "" if have >= cores else f"ask for {cores} cores of {FAMILY} in {location}: https://aka.ms/azquotas"
    return Finding(f"quota {FAMILY}", f"{have} cores free in {location}, {cores} needed", fix)


def check_values(env: str, infra: Path) -> list[Finding]:
    """Values of the environment that only its owner knows."""
    path = infra / "environments" / f"{env}.tfvars"
    lines = path.read_text(encoding="utf-8").splitlines()
    findings = []
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("#"):
            continue
        if DOCUMENTATION_RANGE in line:
            fix = f"put your own ranges in {path.name}:{number}; this one reaches nobody"
            findings.append(Finding("allowed_ip_ranges", "the documentation's range", fix))
        if ".example" in line:
            fix = f"put your own in {path.name}:{number}; .example names belong to nobody"
            if "snowflake" in line.split("=")[0]:
                fix += f"; Snowflake tells them: {STAGE_HOSTS_QUERY}"
            findings.append(Finding(line.split("=")[0].strip(), "an example", fix))
    return findings or [Finding(path.name, "no example value left")]


def location_of(env: str, infra: Path) -> str:
    """Region of an environment, as its tfvars say."""
    found = re.search(r'^location\s*=\s*"(\w+)"', (infra / "environments" / f"{env}.tfvars").read_text("utf-8"), re.M)
    return found[1] if found else "eastus2"


def gather(env: str, infra: Path) -> list[Finding]:
    """Run every check; what needs a login is left out where nobody is signed in."""
    findings = [check_python(), check_terraform(), *check_az()]
    if env in ENVIRONMENTS:
        findings += check_values(env, infra)
    if shutil.which("az"):
        login, subscription = check_login()
        findings += login
        if subscription:
            values = env if env in ENVIRONMENTS else "dev"
            quota = check_quota(subscription, location_of(values, infra), cores_of(values, infra))
            findings += [*check_providers(), check_host_encryption(), quota]
    return findings


def show(findings: Sequence[Finding], tell: Callable[[str], None] = say) -> int:
    """Print one line a finding and return how many need a fix."""
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        mark = "MISSING" if finding.fix else "ok"
        tell(f"{mark:8}{finding.what:{width}}  {finding.state}" + (f"  -> {finding.fix}" if finding.fix else ""))
    return sum(bool(finding.fix) for finding in findings)


def main(argv: Sequence[str] | None = None) -> int:
    """Report; exit 1 where something is missing that the environment needs. ENV=local needs Python alone."""
    parser = argparse.ArgumentParser(prog="infra.doctor", description=__doc__)
    parser.add_argument("--env", default="local", choices=("local", *ENVIRONMENTS))
    parser.add_argument("--infra", type=Path, default=INFRA)
    args = parser.parse_args(argv)
    findings = gather(args.env, args.infra)
    missing = show(findings)
    if args.env == "local":
        say("ENV=local needs Python alone; the rest is for ENV=dev and ENV=prod")
        return 1 if findings[0].fix else 0
    say(f"{missing} to fix before make deploy-infra ENV={args.env}" if missing else "nothing is missing")
    return 1 if missing else 0


if __name__ == "__main__":
    run_main(main)

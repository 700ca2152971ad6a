"""Say what this machine lacks for the infrastructure verbs: one line a finding, each with its fix."""

from __future__ import annotations

import argparse
import datetime as dt
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from amlspec.errors import run
from infra import subscription
from infra.common import ENVIRONMENTS, INFRA, say
from infra.subscription import Finding, Subscription, call, parsed
from pipeline import extension

AZ_OLDEST = (2, 75, 0)
# The backend signs in with a pipeline's own token from here on; infra/versions.tf asks for the same.
PYTHON_OLDEST, PYTHON_NEWEST, PYTHON_OF_IMAGE = (3, 11), (3, 13), (3, 11)
TERRAFORM_OLDEST = (1, 11, 2)
LOCK = ".terraform.lock.hcl"
DOCUMENTATION_RANGE = "203.0.113.0/24"


# Large results and uploads go to storage hosts of the account's own, beside *.snowflakecomputing.com:
# https://docs.snowflake.com/en/sql-reference/functions/system_allowlist
STAGE_HOSTS_QUERY = (
    "select value:host::varchar from table(flatten(parse_json(system$allowlist()))) where value:type = 'STAGE'"
)


def version_of(text: str) -> tuple[int, ...]:
    """Read the first dotted number of a text; () where there is none."""
    match = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(int(part) for part in match[0].split(".")) if match else ()


def dotted(version: Sequence[int]) -> str:
    """Write a version with dots."""
    return ".".join(map(str, version))


def check_python() -> Finding:
    """A Python that the lock is made for; the image has 3.11."""
    here = sys.version_info[:2]
    if not PYTHON_OLDEST <= here <= PYTHON_NEWEST:
        return Finding("python", dotted(here), "uv python install 3.11, then: make setup PYTHON=$(uv python find 3.11)")
    differs = here != PYTHON_OF_IMAGE
    fix = "none needed: figures are the same; only the image can say what it does with 3.11" if differs else ""
    return Finding("python", dotted(here) + (", the image has 3.11" if differs else ""), fix, advice=differs)


def check_terraform() -> Finding:
    """Terraform, new enough for validations across variables."""
    versions = parsed(call("terraform", "version", "-json"))
    version = version_of(versions["terraform_version"]) if versions else ()
    if version >= TERRAFORM_OLDEST:
        return Finding("terraform", dotted(version))
    want = f"install terraform >= {dotted(TERRAFORM_OLDEST)}: https://developer.hashicorp.com/terraform/install"
    return Finding("terraform", dotted(version) or "missing", want)


def check_az() -> list[Finding]:
    """The Azure CLI and its ml extension at a supported version."""
    versions = parsed(call("az", "version", "--output", "json"))
    if not versions:
        return [Finding("az", "missing", "install the Azure CLI: https://aka.ms/azure-cli")]
    version = version_of(versions["azure-cli"])
    az = Finding("az", dotted(version), "" if version >= AZ_OLDEST else "az upgrade --yes")
    ml = versions.get("extensions", {}).get("ml")
    return [az, Finding("az ml extension", ml or "missing", extension.fix(ml))]


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


def setting(env: str, infra: Path, name: str) -> str | None:
    """Text of one value of an environment's tfvars, without its quotes; None where it is not set."""
    text = (infra / "environments" / f"{env}.tfvars").read_text(encoding="utf-8")
    match = re.search(rf"^{name}\s*=\s*(.*)$", text, re.M)
    return match[1].strip().strip('"') if match else None


def pools_of(env: str, infra: Path) -> list[tuple[str, int]]:
    """Machine size and most nodes of both AKS pools."""
    pools = [setting(env, infra, name) or "" for name in ("aks_system", "aks_user")]
    matches = [re.search(r'vm_size\s*=\s*"(\w+)".*max\s*=\s*(\d+)', pool) for pool in pools]
    return [(match[1], int(match[2])) for match in matches if match]


def cores_of(env: str, infra: Path) -> int:
    """Cores of both AKS pools at their most."""
    return sum(int(re.findall(r"\d+", size)[0]) * nodes for size, nodes in pools_of(env, infra))


def training_cores_of(env: str, infra: Path) -> int:
    """Cores of the training compute at its most and of the one node that builds images."""
    sizes = [setting(env, infra, name) or usual for name, usual in TRAINING_SIZES.items()]
    training, build = (int(re.findall(r"\d+", size)[0]) for size in sizes)
    return training * int(setting(env, infra, "training_max_nodes") or 1) + build


TRAINING_SIZES = {"training_vm_size": "Standard_D4s_v3", "build_vm_size": "Standard_D2s_v3"}


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
                fix += f"; Snowflake lists them: {STAGE_HOSTS_QUERY}"
            findings.append(Finding(line.split("=")[0].strip(), "an example", fix))
    return findings or [Finding(path.name, "no example value left")]


def check_groups(env: str, infra: Path) -> list[Finding]:
    """Entra groups that hold the data rights of people; Owner of the subscription gives none of them."""
    lacks = {
        "platform_group_id": "whoever applies is the only one in the cluster and the vault",
        "data_scientists_group_id": "nobody but whoever applies may submit a job or read its files",
    }
    fix = f"set it in {env}.tfvars to the object id of an Entra group: az ad group show --group <name> --query id"
    return [
        Finding(name, f"not set: {lack}", fix, advice=True)
        for name, lack in lacks.items()
        if not setting(env, infra, name)
    ]


def check_stage(env: str, infra: Path) -> list[Finding]:
    """Snowflake's stage, through which larger results come: closed where only approved names may be reached."""
    closed = setting(env, infra, "managed_network_isolation") == "AllowOnlyApprovedOutbound"
    if not closed or setting(env, infra, "snowflake_stage_fqdns") or setting(env, infra, "snowflake_stage_storage_ids"):
        return []
    fix = f"put the hosts of type STAGE into {env}.tfvars; in Snowflake: select system$allowlist()"
    return [Finding("snowflake_stage_fqdns", "not set: results above some 100 kB never arrive", fix)]


def check_lock(infra: Path) -> Finding:
    """Checksums of Terraform's providers, which a pipeline insists on."""
    there = (infra / LOCK).exists()
    return Finding(LOCK, "committed" if there else "missing", "" if there else "make lock-infra, commit it", not there)


def check_budget(env: str, infra: Path, today: dt.date) -> list[Finding]:
    """A budget's start: Azure refuses one before the current month, or more than a year ahead."""
    start = setting(env, infra, "budget_start")
    if not start or start == "null":
        return []
    first, last = today.replace(day=1), today.replace(year=today.year + 1, day=1)
    if first <= dt.date.fromisoformat(start[:10]) <= last:
        return []
    fix = f"a new environment needs {first:%Y-%m}-01T00:00:00Z or later in {env}.tfvars; one that stands ignores it"
    return [Finding("budget_start", start[:10], fix, advice=True)]


def ask_subscription(env: str, infra: Path, subscription_id: str) -> list[Finding]:
    """Everything that only the subscription knows."""
    there = Subscription(subscription_id, setting(env, infra, "location") or "eastus2")
    zones = re.findall(r"\d+", setting(env, infra, "aks_zones") or "")
    workspace = names_of(env)
    return [
        subscription.check_rights(there),
        *subscription.check_providers(subscription.registered_in(infra)),
        subscription.check_host_encryption(),
        *subscription.check_cores(there, cores_of(env, infra)),
        subscription.check_training_cores(there, training_cores_of(env, infra)),
        *subscription.check_sizes(there, [size for size, _ in pools_of(env, infra)], zones),
        subscription.check_name(there, workspace["GROUP"], workspace["WORKSPACE"]),
    ]


def names_of(env: str) -> dict[str, str]:
    """Names of an environment, as committed in outputs/<env>.mk."""
    lines = (INFRA / "outputs" / f"{env}.mk").read_text(encoding="utf-8").splitlines()
    return dict(line.split(" := ", 1) for line in lines if " := " in line)


def gather(env: str, infra: Path) -> list[Finding]:
    """Run every check; what needs a login is left out where nobody is signed in."""
    findings = [check_python(), check_terraform(), *check_az()]
    if env in ENVIRONMENTS:
        findings += [*check_values(env, infra), *check_stage(env, infra), check_lock(infra)]
        findings += [*check_groups(env, infra), *check_budget(env, infra, dt.datetime.now(dt.UTC).date())]
    if shutil.which("az"):
        login, subscription_id = check_login()
        findings += login
        if subscription_id:
            findings += ask_subscription(env if env in ENVIRONMENTS else "dev", infra, subscription_id)
    return findings


def show(findings: Sequence[Finding], tell: Callable[[str], None] = say) -> int:
    """Print one line a finding and return how many stop a deployment."""
    width = max(len(finding.what) for finding in findings)
    for finding in findings:
        mark = "ok" if not finding.fix else "advice" if finding.advice else "MISSING"
        tell(f"{mark:8}{finding.what:{width}}  {finding.state}" + (f"  -> {finding.fix}" if finding.fix else ""))
    return sum(bool(finding.fix) and not finding.advice for finding in findings)


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
        return 1 if findings[0].fix and not findings[0].advice else 0
    say(f"{missing} to fix before make deploy-infra ENV={args.env}" if missing else "nothing is missing")
    return 1 if missing else 0


if __name__ == "__main__":
    run(main)

"""Which changed fields cost money, open doors, or move what a model is judged by."""

import ast
import re
from collections.abc import Iterator
from typing import Any

import yaml

from review.fields import FieldChange, differences

# Leaf names, and blocks: a change anywhere below a block counts.
_COST = re.compile(
    r"(^|\.)(instance_type|instance_count|size|vm_size|tier|min_instances|max_instances|node_count|timeout|trial_timeout"
    r"|max_total_trials|max_concurrent_trials|idle_time_before_scale_down|default_compute|compute|shm_size)$"
    r"|(^|\.)(trigger|resources|scale_settings|limits)(\.|$)"
)
_ACCESS = re.compile(
    r"(^|\.)(auth_mode|public_network_access|egress_public_network_access|target|connection|namespace|resource_id"
    r"|vault_url|key_name)$|(^|\.)(identity|credentials)(\.|$)"
)
_GATE = re.compile(
    r"(threshold|tolerance|margin|min_improvement|holdout_months|champion|alpha|min_months|max_segment_rise"
    r"|min_segment_rows|refresh_months|max_bad_fraction|max_wape|alert)",
    re.IGNORECASE,
)
_TERRAFORM_COST = re.compile(
    r"(vm_size|sku|tier|capacity|replication|quota|budget|retention|(min|max|node)_?(count|nodes)|instances|_ha$)"
)
_TERRAFORM_ACCESS = re.compile(
    r"(public|private|allowed|ip_r(ange|ule)|firewall|isolation|network_access|network_rules|default_action|bypass|identity"
    r"|role|principal|subject|issuer|admin|auth|rbac|local_account|shared_access|anonymous|security_rule)"
)
# Scripts that decide whether a model is registered, and the tests that nothing of a month's end reaches its forecast;
# the limits of the gate, of the monitor and of a rollout.
_GATE_FILES = re.compile(
    r"(^|/)((gate|thresholds|significance|metrics|scoring|baselines|rolling|recipes|blending|lookback|champion|evaluate|verdict"
    r"|test_gate|test_rolling)\.py|gate\.yml|ml/monitor\.yml|deploy/rollout\.yml)$"
)


def is_cost(change: FieldChange) -> bool:
    """Machines, their number, how long and how often they run."""
    return any(_COST.search(path) for path in change.paths)


def is_access(change: FieldChange) -> bool:
    """Who may call, what is reachable, and as whom a job signs in."""
    return any(_ACCESS.search(path) for path in change.paths)


def is_gate(change: FieldChange) -> bool:
    """What a model must reach to be registered, or a monitor to raise an alarm."""
    return any(_GATE.search(path) for path in change.paths)


def is_terraform_cost(change: FieldChange) -> bool:
    """The same for arguments of Terraform."""
    return any(_TERRAFORM_COST.search(name) for name in _names(change))


def is_terraform_access(change: FieldChange) -> bool:
    """Public sides, networks, identities and their roles."""
    return any(_TERRAFORM_ACCESS.search(name) for name in _names(change))


def _names(change: FieldChange) -> list[str]:
    """The argument's own path, and the keys of a map on one line. What a message says is not a setting."""
    if change.leaf in ("description", "error_message"):
        return []
    return [change.path, *re.findall(r"([\w-]+)\s*=(?![=>])", f"{change.old} {change.new}")]


def is_gate_file(path: str) -> bool:
    """Whether a file belongs to the gate, or holds the limits of the monitor or of a rollout."""
    return _GATE_FILES.search(path) is not None


def constants(source: str) -> dict[str, str]:
    """Literal constants at the top of a module: name -> value as written."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return {}
    return dict(_constants(tree))


def _constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
        for target in targets:
            if isinstance(target, ast.Name) and target.id.isupper() and value is not None:
                yield target.id, ast.unparse(value)


def pins(requirements: str) -> dict[str, str]:
    """Package -> pinned version of a requirements file."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", requirements, re.MULTILINE))


def gate_changes(path: str, old: str, new: str) -> list[FieldChange]:
    """Thresholds of ml/gate.yml that changed, or constants of a gate script."""
    if not path.endswith(".py"):
        return differences(_mapping(old), _mapping(new))
    before, after = constants(old), constants(new)
    names = [*after, *(name for name in before if name not in after)]
    return [FieldChange(n, before.get(n), after.get(n)) for n in names if before.get(n) != after.get(n)]


def _mapping(text: str) -> dict[str, Any]:
    """A YAML file's content; {} where it is none or broken, which `make check` says."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return content if isinstance(content, dict) else {}

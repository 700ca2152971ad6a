"""What a run consists of: stages, jobs and steps, with every default written out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent import functions
from agent.expand import Node
from amlspec.errors import UserError

ROOT = {"name", "trigger", "pr", "schedules", "resources", "variables", "pool", "stages", "jobs", "steps",
        "lockBehavior", "appendCommitMessageToRunName"}  # fmt: skip
STAGE = {"stage", "displayName", "dependsOn", "condition", "variables", "jobs", "lockBehavior", "isSkippable", "pool"}
OF_JOB = {"displayName", "dependsOn", "condition", "variables", "pool", "strategy", "timeoutInMinutes",
          "cancelTimeoutInMinutes", "continueOnError", "workspace"}  # fmt: skip
JOB, DEPLOYMENT = {"job", "steps", *OF_JOB}, {"deployment", "environment", *OF_JOB}
COMMON = {"name", "displayName", "condition", "continueOnError", "enabled", "env", "timeoutInMinutes",
          "retryCountOnTaskFailure"}  # fmt: skip
# A step's first key, and what else each kind takes.
STEPS = {
    "bash": {"workingDirectory", "failOnStderr"},
    "script": {"workingDirectory", "failOnStderr"},
    "task": {"inputs"},
    "checkout": {"fetchDepth", "persistCredentials", "clean", "fetchTags"},
    "publish": {"artifact"},
    "download": {"artifact", "path"},
}


@dataclass(frozen=True)
class Step:
    """One step; `kind` is its first key, `subject` that key's value."""

    kind: str
    subject: str
    name: str
    title: str
    where: str
    condition: str | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    may_fail: bool = False
    retries: int = 0
    minutes: float = 0


@dataclass(frozen=True)
class Job:
    """One job; `environment` of a deployment job, `matrix` the variables of each of its copies."""

    name: str
    title: str
    where: str
    depends: Sequence[str]
    condition: str | None
    variables: Sequence[Mapping[str, str]]
    steps: Sequence[Step]
    environment: str | None
    matrix: Mapping[str, Mapping[str, str]]
    may_fail: bool
    minutes: float


@dataclass(frozen=True)
class Stage:
    """One stage."""

    name: str
    title: str
    where: str
    depends: Sequence[str]
    condition: str | None
    variables: Sequence[Mapping[str, str]]
    jobs: Sequence[Job]
    lock: str | None

    @property
    def environments(self) -> list[str]:
        """Environments that its deployment jobs use; their checks come before the stage."""
        return sorted({job.environment for job in self.jobs if job.environment})


def stages(data: Node) -> list[Stage]:
    """The stages of an expanded pipeline. Raises UserError for what is not known here, at file:line."""
    _check(data, ROOT, "a pipeline")
    if "stages" in data:
        made = [_stage(each) for each in data["stages"] or []]
        # Without dependsOn a stage waits for the one before it.
        listed = [
            each if node.get("dependsOn") is not None or not place else _after(each, made[place - 1].name)
            for place, (each, node) in enumerate(zip(made, data["stages"], strict=True))
        ]
    else:
        node = Node({"stage": "__default", "jobs": data.get("jobs") or [Node({"job": "job", "steps": data["steps"]})]})
        node.where = data.where
        listed = [_stage(node)]
    _check_graph(listed, [each.where for each in listed])
    for stage in listed:
        _check_graph(stage.jobs, [job.where for job in stage.jobs])
    return listed


def _after(stage: Stage, name: str) -> Stage:
    return Stage(**{**vars(stage), "depends": [name]})


def _check(node: Mapping[str, Any], known: set[str], what: str) -> None:
    for key in node:
        if key not in known:
            where = getattr(node, "where", "")
            raise UserError(f"{where}: {what} has the key {key}, which is not known here")


def _check_graph(nodes: Sequence[Any], places: Sequence[str]) -> None:
    names = [each.name for each in nodes]
    for node, where in zip(nodes, places, strict=True):
        if names.count(node.name) > 1:
            raise UserError(f"{where}: {node.name} stands twice")
        for name in node.depends:
            if name not in names:
                raise UserError(f"{where}: dependsOn: {name} is not there; there are {', '.join(names)}")
    done: set[str] = set()
    while len(done) < len(names):
        ready = {each.name for each in nodes if each.name not in done and set(each.depends) <= done}
        if not ready:
            raise UserError(f"{places[0]}: dependsOn goes in a circle: {', '.join(sorted(set(names) - done))}")
        done |= ready


def _stage(node: Node) -> Stage:
    _check(node, STAGE, "a stage")
    name = str(node.get("stage"))
    return Stage(
        name=name,
        title=functions.text(node.get("displayName")) or name,
        where=node.where,
        depends=_names(node.get("dependsOn")),
        condition=_condition(node),
        variables=variables(node.get("variables")),
        jobs=[_job(each) for each in node.get("jobs") or []],
        lock=node.get("lockBehavior"),
    )


def _job(node: Node) -> Job:
    is_deployment = "deployment" in node
    _check(node, DEPLOYMENT if is_deployment else JOB, "a deployment" if is_deployment else "a job")
    name = str(node.get("deployment") or node.get("job"))
    strategy = node.get("strategy") or {}
    environment = node.get("environment")
    if isinstance(environment, Mapping):
        environment = environment.get("name")
    if is_deployment and not environment:
        raise UserError(f"{node.where}: the deployment {name} names no environment")
    return Job(
        name=name,
        title=functions.text(node.get("displayName")) or name,
        where=node.where,
        depends=_names(node.get("dependsOn")),
        condition=_condition(node),
        variables=variables(node.get("variables")),
        steps=[step(each) for each in (_deployed(node, strategy) if is_deployment else node.get("steps") or [])],
        environment=str(environment) if is_deployment else None,
        matrix=_matrix(node, strategy) if not is_deployment else {},
        may_fail=functions.text(node.get("continueOnError")).lower() == "true",
        minutes=functions.number(node.get("timeoutInMinutes") or 60) or 0,
    )


def _deployed(node: Node, strategy: Mapping[str, Any]) -> Sequence[Node]:
    """Steps of the one strategy that is known: runOnce with deploy."""
    known = strategy.get("runOnce") if set(strategy) == {"runOnce"} else None
    if not isinstance(known, Mapping) or set(known) != {"deploy"}:
        raise UserError(f"{node.where}: a deployment's strategy is runOnce with deploy here, no other")
    return list(known["deploy"].get("steps") or [])


def _matrix(node: Node, strategy: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    if more := set(strategy) - {"matrix", "maxParallel"}:
        raise UserError(f"{node.where}: strategy: {', '.join(sorted(more))} is not known here")
    legs = strategy.get("matrix") or {}
    if not isinstance(legs, Mapping):
        raise UserError(f"{node.where}: a matrix that is worked out in the run is not known here")
    return {str(leg): {str(k): functions.text(v) for k, v in each.items()} for leg, each in legs.items()}


def step(node: Node) -> Step:
    """One step. Raises UserError for a kind or a key that is not known here."""
    kind = next((each for each in STEPS if each in node), None)
    if kind is None:
        raise UserError(f"{node.where}: a step of this kind is not known here: {', '.join(map(str, node)) or 'empty'}")
    _check(node, {kind, *STEPS[kind], *COMMON}, f"the step {kind}")
    subject = functions.text(node[kind])
    title = functions.text(node.get("displayName")) or (subject if kind == "task" else kind)
    given = node.get("inputs") or {key: node[key] for key in STEPS[kind] if key in node}
    return Step(
        kind="none" if functions.text(node.get("enabled", True)).lower() == "false" else kind,
        subject=subject,
        name=functions.text(node.get("name")),
        title=title,
        where=node.where,
        condition=_condition(node),
        inputs={str(name): functions.text(value) for name, value in given.items()},
        env={str(name): functions.text(value) for name, value in (node.get("env") or {}).items()},
        may_fail=functions.text(node.get("continueOnError")).lower() == "true",
        retries=int(functions.number(node.get("retryCountOnTaskFailure") or 0) or 0),
        minutes=functions.number(node.get("timeoutInMinutes") or 0) or 0,
    )


def _names(value: Any) -> list[str]:
    if value in (None, ""):
        return []
    return [functions.text(each) for each in value] if isinstance(value, list) else [functions.text(value)]


def _condition(node: Mapping[str, Any]) -> str | None:
    """Text of a condition; a literal true or false is one, too."""
    value = node.get("condition")
    return None if value is None else functions.text(value)


def variables(value: Any) -> list[Mapping[str, str]]:
    """Variables of a stage or a job as a list of {name, value} or {group}."""
    if isinstance(value, Mapping):
        return [{"name": str(name), "value": functions.text(each)} for name, each in value.items()]
    return [{str(k): functions.text(v) for k, v in each.items()} for each in value or []]


def every_step(listed: Sequence[Stage]) -> Iterator[tuple[Stage, Job, Step]]:
    """Every step of a pipeline, with its job and stage."""
    for stage in listed:
        for job in stage.jobs:
            for each in job.steps:
                yield stage, job, each


def ancestors(name: str, nodes: Sequence[Any]) -> set[str]:
    """Names of all that a stage or a job waits for, directly or not."""
    by_name = {each.name: each for each in nodes}
    seen: set[str] = set()
    left = list(by_name[name].depends)
    while left:
        one = left.pop()
        if one not in seen:
            seen.add(one)
            left += by_name[one].depends
    return seen

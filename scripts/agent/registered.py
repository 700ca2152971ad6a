"""Pipelines with what each may use, and the policies of the branch that they guard."""

from collections.abc import Iterable
from pathlib import Path

from agent import checks, expand, model, project, runner
from agent.devops import PREVIEW, Devops
from agent.made import Made
from agent.project import Project
from amlspec.document import read_document


def make(devops: Devops, root: Path, wanted: Project, repository: str, made: Made) -> None:
    known = {each["name"]: each for each in devops.read("pipelines", "list") or []}
    for name in wanted.document.get("pipelines"):
        shown = known.get(name) or devops.make(
            f"pipeline {name}",
            *("pipelines", "create", "--name", name, "--repository", repository, "--repository-type", "tfsgit"),
            *("--branch", "main", "--yml-path", f"{project.FOLDER}/{name}.yml", "--skip-first-run", "true"),
        )
        if shown is None:
            continue
        made.pipelines[name] = str(shown["id"])
        for kind, resource, number in _used(root, name, made):
            path = f"pipelines/pipelinepermissions/{kind}/{number}"
            allowed = (devops.get(path, PREVIEW) or {}).get("pipelines") or []
            if any(str(each["id"]) == made.pipelines[name] and each.get("authorized") for each in allowed):
                continue
            body = {"pipelines": [{"id": int(made.pipelines[name]), "authorized": True}]}
            devops.send(f"permission of {name} for {kind} {resource}", "patch", path, body, PREVIEW)


def _used(root: Path, name: str, made: Made) -> Iterable[tuple[str, str, str]]:
    """(kind, name, id) of what a pipeline uses, and may use alone."""
    connections, environments, groups = uses(root, name)
    for kind, wanted, known in (
        ("endpoint", connections, made.connections),
        ("environment", environments, made.environments),
        ("variablegroup", groups, made.groups),
    ):
        yield from ((kind, each, known[each]) for each in sorted(wanted) if each in known)


def uses(root: Path, name: str) -> tuple[set[str], set[str], set[str]]:
    """Connections, environments and variable groups of a pipeline, for every value of its parameters."""
    path = root / project.FOLDER / f"{name}.yml"
    known = runner.predefined("main", "0" * 40, 1, "Manual", "main")
    sets: tuple[set[str], set[str], set[str]] = (set(), set(), set())
    for given in _choices(path):
        data = expand.pipeline(path, root, given, known)
        stages = model.stages(data)
        for stage, job, step in model.every_step(stages):
            if step.inputs.get("azureSubscription"):
                sets[0].add(step.inputs["azureSubscription"])
            if job.environment:
                sets[1].add(job.environment)
            listed = (*model.variables(data["variables"]), *stage.variables, *job.variables)
            sets[2].update(each["group"] for each in listed if "group" in each)
    return sets


def _choices(path: Path) -> list[dict[str, str]]:
    """Values of a pipeline's parameters: each one that is allowed for the first that has no default."""
    needed = [each for each in read_document(path).data.get("parameters") or [] if "default" not in each]
    return [{needed[0]["name"]: value} for value in needed[0]["values"]] if needed else [{}]


def protect(devops: Devops, wanted: Project, repository: str, made: Made) -> None:
    shown = devops.read("repos", "show", "--repository", repository)
    where = ["--repository-id", str(shown["id"]), "--branch", "main", "--blocking", "true", "--enabled", "true"]
    known = devops.read("repos", "policy", "list", "--repository-id", str(shown["id"]), "--branch", "main") or []
    there = {each["type"]["displayName"] for each in known}
    given: dict[str, list[str]] = {
        "Minimum number of reviewers": [
            *("approver-count", "create", "--minimum-approver-count", "1", "--creator-vote-counts", "false"),
            *("--allow-downvotes", "false", "--reset-on-source-push", "true"),
        ],
        "Work item linking": ["work-item-linking", "create"],
        "Comment requirements": ["comment-required", "create"],
    }
    if "pr" in made.pipelines:
        given["Build"] = [
            *("build", "create", "--build-definition-id", made.pipelines["pr"], "--display-name", "pr"),
            *("--manual-queue-only", "false", "--queue-on-source-update-only", "true", "--valid-duration", "720"),
        ]
    for name, words in given.items():
        if name not in there:
            devops.make(f"policy {name}", "repos", "policy", *words, *where)
    if "Required reviewers" not in there:
        for path, group in wanted.document.table("policies", "reviewers").items():
            if number := checks.identity(devops, group):
                devops.make(
                    f"policy Required reviewers of {path}",
                    *("repos", "policy", "required-reviewer", "create", "--path-filter", path),
                    *("--required-reviewer-ids", number, "--message", f"{group} looks at {path}", *where),
                )

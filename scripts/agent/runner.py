"""A whole run: stages in their order, approvals before them, conditions, jobs and the copies of a matrix."""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent import contexts, model, screen, tasks
from agent.contexts import CANCELED, FAILED, GOOD, ISSUES, SKIPPED, SUCCEEDED, Ended
from agent.job import Cancel, JobRun
from agent.model import Job, Stage
from agent.project import Project
from agent.variables import Variables
from agent.workspace import Workspace
from amlspec.errors import UserError


@dataclass(frozen=True)
class Answers:
    """What was given with the call, and how to ask for what was not."""

    approved: frozenset[str] = frozenset()
    rejected: frozenset[str] = frozenset()
    fail: str | None = None
    ask: Callable[[str], bool | None] = lambda _environment: None


@dataclass
class Runner:
    """One run of a pipeline."""

    stages: Sequence[Stage]
    variables: Variables
    workspace: Workspace
    project: Project
    answers: Answers
    environment: Mapping[str, str]
    cancel: Cancel = field(default_factory=Cancel)
    ended: dict[str, Ended] = field(default_factory=dict)

    def check(self) -> None:
        """Raises UserError for what cannot be run here, before anything is: tasks, environments, groups."""
        for _, job, step in model.every_step(self.stages):
            if step.kind == "task":
                tasks.check(step.subject, step.inputs, step.where)
            if job.environment:
                self.project.asks(job.environment)
        listed = [each for stage in self.stages for each in stage.variables]
        listed += [each for stage in self.stages for job in stage.jobs for each in job.variables]
        for each in listed:
            if "group" in each:
                self.group(each["group"])

    def group(self, name: str) -> Mapping[str, str]:
        """Variables of a group with their values on this machine, which stand for ids that only Azure knows."""
        if name not in self.project.groups:
            known = ", ".join(self.project.groups)
            raise UserError(f"variable group {name} is not in {self.project.document.shown}: it has {known}")
        return dict.fromkeys(self.project.groups[name], tasks.STAND_IN_ID)

    def run(self) -> str:
        """Every stage; how the run ended."""
        left = list(self.stages)
        while left:
            stage = next(each for each in left if all(name in self.ended for name in each.depends))
            left.remove(stage)
            began = time.monotonic()
            self.ended[stage.name] = self._stage(stage)
            screen.ended(0, f"stage {stage.title}", self.ended[stage.name].result, time.monotonic() - began)
        results = [each.result for each in self.ended.values()]
        return _together(results, self.cancel.is_asked)

    def _stage(self, stage: Stage) -> Ended:
        values = {
            "variables": self.variables,
            "dependencies": {name: self.ended[name].as_stage() for name in stage.depends},
            "stageDependencies": self._all_jobs(),
        }
        functions = contexts.of_node(stage, self.stages, self.ended, self.cancel.is_asked)
        if not contexts.holds(stage.condition, stage.where, values, functions):
            return Ended(CANCELED if self.cancel.is_asked else SKIPPED, jobs={job.name: Ended() for job in stage.jobs})
        for environment in stage.environments:
            if not self._may(environment, stage):
                return Ended(FAILED, jobs={job.name: Ended() for job in stage.jobs})
        screen.say(f"stage {stage.title}")
        variables = self.variables.copy()
        variables.set("System.StageName", stage.name)
        variables.add(stage.variables, self.group, values, stage.where)
        return self._jobs(stage, variables)

    def _may(self, environment: str, stage: Stage) -> bool:
        """The checks of an environment, which come before the stage: the branch, and a person's word."""
        wanted = self.project.environments[environment].get("branch")
        branch = self.variables.get("Build.SourceBranch")
        if wanted and branch != f"refs/heads/{wanted}":
            screen.say(f"environment {environment} takes {wanted} alone, and this run is of {branch}")
            return False
        if not self.project.asks(environment):
            return True
        short = environment.removeprefix("demand-")
        if {environment, short} & self.answers.rejected:
            screen.say(f"environment {environment}: rejected")
            return False
        if {environment, short} & self.answers.approved:
            screen.say(f"environment {environment}: approved")
            return True
        said = self.answers.ask(f"Stage {stage.title} waits for the approval of {environment}. Approve?")
        if said is None:
            screen.say(f"environment {environment} asks a person, and nobody is here: APPROVE={short} approves it")
        return bool(said)

    def _jobs(self, stage: Stage, variables: Variables) -> Ended:
        ended: dict[str, Ended] = {}
        left = list(stage.jobs)
        while left:
            job = next(each for each in left if all(name in ended for name in each.depends))
            left.remove(job)
            ended[job.name] = self._job(stage, job, variables.copy(), ended)
            screen.ended(1, job.title, ended[job.name].result)
        return Ended(_together([each.result for each in ended.values()], self.cancel.is_asked), jobs=ended)

    def _job(self, stage: Stage, job: Job, variables: Variables, ended: Mapping[str, Ended]) -> Ended:
        values = {
            "variables": variables,
            "dependencies": {name: ended[name].as_job() for name in job.depends},
            "stageDependencies": self._all_jobs(),
        }
        functions = contexts.of_node(job, stage.jobs, ended, self.cancel.is_asked)
        if not contexts.holds(job.condition, job.where, values, functions):
            return Ended(CANCELED if self.cancel.is_asked else SKIPPED)
        variables.set("System.JobName", job.name)
        variables.add(job.variables, self.group, values, job.where)
        if not job.matrix:
            screen.say(f"  {job.title}")
            return self._one(stage, job, f"{stage.name}.{job.name}", variables)
        together = Ended(SUCCEEDED)
        results = []
        for leg, more in job.matrix.items():
            screen.say(f"  {job.title} {leg}")
            inner = variables.copy()
            for name, value in more.items():
                inner.set(name, value)
            one = self._one(stage, job, f"{stage.name}.{job.name}.{leg}", inner)
            results.append(one.result)
            together.outputs |= {f"{leg}.{name}": value for name, value in one.outputs.items()}
        together.result = _together(results, self.cancel.is_asked)
        return together

    def _one(self, stage: Stage, job: Job, label: str, variables: Variables) -> Ended:
        for name, folder in {
            "Pipeline.Workspace": self.workspace.work,
            "Agent.BuildDirectory": self.workspace.work,
            "Build.SourcesDirectory": self.workspace.sources,
            "System.DefaultWorkingDirectory": self.workspace.sources,
            "Build.ArtifactStagingDirectory": self.workspace.staging,
            "Agent.TempDirectory": self.workspace.temp,
        }.items():
            variables.set(name, str(folder))
        run = JobRun(
            job, label, variables, self.workspace, self.project, self.environment, self.cancel, self.answers.fail
        )
        made = run.run()
        if job.environment:  # outputs of a deployment job have its own name before the step's
            made.outputs = {f"{job.name}.{name}": value for name, value in made.outputs.items()}
        return made

    def _all_jobs(self) -> dict[str, Any]:
        return {name: {job: each.as_job() for job, each in stage.jobs.items()} for name, stage in self.ended.items()}


def _together(results: Sequence[str], is_canceled: bool) -> str:
    """Of jobs a stage's result, of stages a run's."""
    if is_canceled:
        return CANCELED
    for one in (FAILED, ISSUES):
        if one in results:
            return one
    return SUCCEEDED if any(each in GOOD for each in results) or not results else SKIPPED


def predefined(branch: str, commit: str, number: int, reason: str, target: str) -> dict[str, str]:
    """The variables that are known before a run; what they mean is in Microsoft's list of predefined variables."""
    source = branch if branch.startswith("refs/") else f"refs/heads/{branch}"
    known = {
        "Build.SourceBranch": source,
        "Build.SourceBranchName": source.rsplit("/", 1)[-1],
        "Build.SourceVersion": commit,
        "Build.BuildId": str(number),
        "Build.BuildNumber": str(number),
        "Build.Reason": reason,
        "Build.DefinitionName": "laptop",
        "Agent.OS": "Linux",
        "Agent.Name": "laptop",
        "Agent.JobStatus": SUCCEEDED,
        "System.TeamProject": "laptop",
        "System.PullRequest.IsFork": "False",
        "TF_BUILD": "True",
    }
    if reason == "PullRequest":
        known["System.PullRequest.TargetBranch"] = f"refs/heads/{target}"
        known["System.PullRequest.TargetBranchName"] = target
    return known


def asked_on_terminal(cancel: Cancel, question: str) -> bool | None:
    """A person's word; None where nobody is at the terminal. Ctrl-C at the question cancels the run."""
    if not (os.isatty(0) and os.isatty(1)):
        return None
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")
    except (KeyboardInterrupt, EOFError):
        cancel.ask()
        return False
    finally:
        signal.signal(signal.SIGINT, before)


def pipeline_file(root: Path, folder: str, name: str) -> Path:
    """The file of a pipeline. Raises UserError for one that is not there."""
    path = root / folder / f"{name}.yml"
    if not path.is_file() or name == "project":
        known = sorted(each.stem for each in (root / folder).glob("*.yml") if each.stem not in ("project", "variables"))
        raise UserError(f"PIPELINE={name}: there are {', '.join(known) or 'none'}")
    return path

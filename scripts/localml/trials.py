"""The process of a sweep's step: `python -m localml.trials SPEC [--input NAME VALUE]... [--output-place NAME PATH]...`.

Each trial has its own copy of the code, its own outputs and its own run below the step's; the outputs of the best
become the step's. A trial that fails does not end the sweep.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from amlspec.bindings import render
from amlspec.errors import UserError
from host import process
from localml import registry, runs, search_space, sweep
from localml.early_termination import Policy, Watch

_POLL_SECONDS = 0.05
# How often the metrics are looked at, where trials may be ended early.
_LOOK_SECONDS = 0.5


@dataclass
class Trial:
    """One draw of the search space."""

    number: int
    drawn: dict[str, Any]
    folder: Path
    run: str
    process: subprocess.Popen[bytes]
    started: float
    metric: float | None = None

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    def __str__(self) -> str:
        return f"trial {self.number}: " + " ".join(f"{name}={value}" for name, value in self.drawn.items())


class Trials:
    """All trials of one sweep."""

    def __init__(self, spec: dict[str, Any], inputs: dict[str, str], outputs: dict[str, Path]) -> None:
        self.spec, self.inputs, self.outputs = spec, inputs, outputs
        self.folder = Path(os.environ["TMPDIR"]) / "trials"
        self.slots = min(int(spec["concurrent"]), max(2, os.cpu_count() or 2))
        self.sampler = search_space.sampler(spec)
        policy = spec["early_termination"]
        self.watch = Watch(Policy.model_validate(policy), spec["goal"]) if policy else None
        self.started: list[Trial] = []
        self.running: list[Trial] = []
        self.best: Trial | None = None
        self._looked = 0.0

    def run(self) -> None:
        """Run them all and keep the best. Raises UserError where none logged the metric."""
        self._fill()
        while self.running:
            time.sleep(_POLL_SECONDS)
            for trial in list(self.running):
                self._poll(trial)
            self._end_early()
            self._fill()
        if self.best is None:
            raise UserError(f"no trial ended well with the metric {self.spec['metric']}", 1)
        self._keep(self.best)

    def stop(self) -> None:
        """End the processes of all trials."""
        for trial in self.running:
            process.terminate(trial.process.pid)
            runs.finish(trial.run, runs.KILLED)

    def _fill(self) -> None:
        """Start trials where there is room; what they try is drawn as late as can be, since samplers learn."""
        while len(self.running) < self.slots and (drawn := self.sampler.draw()) is not None:
            trial = self._start(len(self.started), drawn)
            self.started.append(trial)
            self.running.append(trial)

    def _end_early(self) -> None:
        """Apply the policy to what the trials have logged by now."""
        if self.watch is None or time.monotonic() - self._looked < _LOOK_SECONDS:
            return
        self._looked = time.monotonic()
        logged = {trial.number: _logged(trial.run, self.spec["metric"]) for trial in self.started}
        for number in self.watch.to_end(logged, [trial.number for trial in self.running]):
            trial = self.started[number]
            process.terminate(trial.process.pid)
            self.running.remove(trial)
            runs.finish(trial.run, runs.KILLED)
            self.sampler.learn(number, None)
            _say(f"{trial}: ended early after {len(logged[number])} values, the last {logged[number][-1]:g}")

    def _start(self, number: int, drawn: dict[str, Any]) -> Trial:
        folder = self.folder / str(number)
        shutil.copytree(Path.cwd(), folder / "code")
        places = {name: folder / "outputs" / name for name in self.outputs}
        for name, place in places.items():
            (place.parent if self.spec["outputs"][name] == "uri_file" else place).mkdir(parents=True, exist_ok=True)
        text = self.spec["command"]
        for name, value in drawn.items():
            text = text.replace(f"${{{{search_space.{name}}}}}", str(value))
        paths = {name: Path(value) if Path(value).is_absolute() else value for name, value in self.inputs.items()}
        command = render(text, {**paths, **drawn}, places)
        tags = json.loads(os.environ["MLFLOW_RUN_CONTEXT"])
        name = f"{os.environ['LOCALML_SWEEP']}_{number}"
        experiment, parent = os.environ["MLFLOW_EXPERIMENT_NAME"], os.environ["MLFLOW_RUN_ID"]
        run = runs.start(experiment, name, {**tags, "mlflow.parentRunId": parent})
        variables = {**os.environ, "MLFLOW_RUN_ID": run, "AZUREML_RUN_ID": run}
        variables["LOCALML_STEP"] = variables.pop("LOCALML_SWEEP")
        del variables["LOCALML_HOME"]
        # "inputs, outputs, and parameters are accessible [as] AZUREML_SWEEP_<name>" (azure.ai.ml.sweep.SweepJob)
        shown = {**self.inputs, **drawn, **places}
        variables |= {f"AZUREML_SWEEP_{key}": str(value) for key, value in shown.items()}
        child = process.spawn(command, folder / "code", variables, folder / "log.txt")
        return Trial(number, drawn, folder, run, child, time.monotonic())

    def _poll(self, trial: Trial) -> None:
        code, limit = trial.process.poll(), self.spec["timeout"]
        if code is None and limit and time.monotonic() - trial.started > limit:
            process.terminate(trial.process.pid)
            return self._end(trial, f"ran longer than its limit of {limit} s")
        if code is None:
            return None
        if code:
            return self._end(trial, f"ended with exit code {code}")
        trial.metric = _metric(trial.run, self.spec["metric"], self.spec["goal"])
        if trial.metric is None:
            return self._end(trial, f"did not log the metric {self.spec['metric']}")
        return self._end(trial, None)

    def _end(self, trial: Trial, problem: str | None) -> None:
        self.running.remove(trial)
        runs.finish(trial.run, runs.FAILED if problem else runs.FINISHED)
        self.sampler.learn(trial.number, trial.metric)
        if problem:
            _say(f"{trial}: {problem}; its last lines:")
            _say("\n".join(f"  {line}" for line in process.tail(trial.log)))
        else:
            _say(f"{trial}: {self.spec['metric']} {trial.metric}")
            if self._is_better(trial):
                self.best = trial

    def _is_better(self, trial: Trial) -> bool:
        if self.best is None or self.best.metric is None or trial.metric is None:
            return self.best is None
        sign = 1 if self.spec["goal"] == "maximize" else -1
        return sign * trial.metric > sign * self.best.metric

    def _keep(self, trial: Trial) -> None:
        _say(f"the best is trial {trial.number}")
        for name, place in self.outputs.items():
            made = trial.folder / "outputs" / name
            if made.is_dir():
                shutil.copytree(made, place, dirs_exist_ok=True)
            elif made.is_file():
                shutil.copyfile(made, place)
        if (trial.folder / "code" / "outputs").is_dir():
            shutil.copytree(trial.folder / "code" / "outputs", "outputs", dirs_exist_ok=True)


def _metric(run: str, name: str, goal: str) -> float | None:
    """The best value that a run has logged: a sweep compares its trials by that."""
    query = "select max(value), min(value) from metrics where run_uuid = ? and key = ? and is_nan = 0"
    with closing(sqlite3.connect(registry.database(), timeout=30)) as store:
        high, low = store.execute(query, (run, name)).fetchone()
    best: float | None = high if goal == "maximize" else low
    return best


def _logged(run: str, name: str) -> list[float]:
    """Every value that a run has logged, oldest first."""
    query = "select value from metrics where run_uuid = ? and key = ? and is_nan = 0 order by timestamp, step, rowid"
    with closing(sqlite3.connect(registry.database(), timeout=30)) as store:
        return [float(value) for (value,) in store.execute(query, (run, name))]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _terminated(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(143)


def main() -> int:
    """Exit code 1 where no trial gave the metric."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spec", type=Path)
    parser.add_argument("--input", nargs=2, action="append", default=[])
    parser.add_argument("--output-place", nargs=2, action="append", default=[])
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, _terminated)
    spec = sweep.loads(args.spec)
    os.environ["LOCALML_HOME"] = spec["home"]
    trials = Trials(spec, dict(args.input), {name: Path(place) for name, place in args.output_place})
    try:
        trials.run()
    except UserError as error:
        _say(f"error: {error}")
        return 1
    finally:
        with contextlib.suppress(UserError):
            trials.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""python -m judge FOLDER: run the jobs of a checkout of Azure/azureml-examples and say what became of each.

FOLDER stays as it is: the jobs run from a copy below LOCALML_HOME, with stand-ins for environments and web data
(judge.standins). The last run's table is kept in judge.json under LOCALML_HOME. Exit code 1 where an outcome is WRONG.
"""

import argparse
import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from amlspec.errors import UserError, run
from host.state import home, write_json
from judge import jobs, standins
from judge.calls import Engine
from judge.jobs import Job
from judge.outcome import Class, Outcome, classify

EXPECTED = Path(__file__).with_name("expected.yml")
SECONDS = 600


def main(argv: Sequence[str] | None = None) -> int:
    """Run the jobs one after the other and print the table."""
    args = _arguments(argv)
    if not (args.folder / "cli").is_dir():
        raise UserError(f"{args.folder}: not a checkout of Azure/azureml-examples: it has no folder cli")
    specs = jobs.of(args.folder)
    chosen = [job for job in specs if not job.aside and args.only in str(job.path)]
    engine = _prepared(args.folder)
    expected: dict[str, Any] = yaml.safe_load(EXPECTED.read_text(encoding="utf-8"))
    table = {str(job.path): _judged(engine, job, expected.get(str(job.path))) for job in chosen}
    write_json(home() / "judge.json", {path: {"class": each.of, "line": each.line} for path, each in table.items()})
    _print_counts(specs, table)
    return int(any(each.of is Class.WRONG for each in table.values()))


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m judge", description=__doc__)
    parser.add_argument("folder", type=Path, help="a checkout of Azure/azureml-examples")
    parser.add_argument("--only", default="", help="jobs with this text in their path")
    return parser.parse_args(argv)


def _prepared(source: Path) -> Engine:
    """A copy of the checkout with its stand-ins, and an engine in it."""
    folder = home() / "judge" / time.strftime("%Y%m%d-%H%M%S")
    folder.mkdir(parents=True)
    standins.tables(folder / "data")
    standins.copy(source, folder, folder / "data")
    # Where the samples' READMEs tell people to upload the table to.
    shutil.copytree(folder / "data", folder / "state" / "datastores" / "workspaceblobstore" / "example-data")
    engine = Engine(folder / "state", folder, SECONDS)
    standins.register_environment(engine)
    return engine


def _judged(engine: Engine, job: Job, expected: dict[str, Any] | None) -> Outcome:
    """Run one job and print its line."""
    standins.register(engine, engine.folder / job.path)
    name = "judge-" + "-".join(job.path.with_suffix("").parts[1:]).replace(".", "_")
    began = time.monotonic()
    done = engine.call("job", "create", "--file", str(job.path), "--stream", "--name", name, "--output", "none")
    outcome = classify(done, engine.job(name), expected, engine.home / "mlflow.db")
    line = outcome.line.replace(str(engine.folder), "")[:200]
    sys.stdout.write(f"{job.path}: {outcome.of}, {time.monotonic() - began:.1f} s{': ' if line else ''}{line}\n")
    sys.stdout.flush()
    return outcome


def _print_counts(specs: list[Job], table: dict[str, Outcome]) -> None:
    aside = Counter(job.aside for job in specs if job.aside)
    sys.stdout.write(f"\n{len(specs)} job specs\n")
    for what, count in aside.most_common():
        sys.stdout.write(f"{count:4} left aside: {what}\n")
    counts = Counter(each.of for each in table.values())
    for each in Class:
        sys.stdout.write(f"{counts[each]:4} {each}\n")


if __name__ == "__main__":
    run(main)

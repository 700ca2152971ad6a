"""How long version guard and report take: on this repo, and on a generated one with a thousand assets."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SCHEMAS = "https://azuremlschemas.azureedge.net/latest"
ENVIRONMENTS, COMPONENTS, PIPELINES = 50, 850, 100
_COMPONENT = """$schema: {schemas}/commandComponent.schema.json
name: step_{i}
version: "1"
display_name: Step {i}
description: Step {i} of the generated repo.
type: command
inputs:
  data:
    type: uri_folder
    description: What comes in.
  factor:
    type: number
    default: 0.5
    description: A number.
outputs:
  out:
    type: uri_folder
    description: What goes out.
code: ../../src/p{folder}
environment: azureml:env_{env}:1
command: >-
  python -m step
  --data ${{{{inputs.data}}}}
  --factor ${{{{inputs.factor}}}}
  --out ${{{{outputs.out}}}}
"""


def review_seconds() -> dict[str, Any]:
    """Seconds of guard and report together on this repo, against the commit ten before, start-up included."""
    count = int(_git(ROOT, "rev-list", "--count", "HEAD"))
    base = f"HEAD~{min(10, count - 1)}" if count > 1 else "HEAD"
    guard, report = _seconds(ROOT, "guard", base), _seconds(ROOT, "report", base)
    return {
        "value": round(guard + report, 2),
        "unit": "s",
        "goal": "< 2",
        "peer": f"git diff --stat alone: {_git_seconds(ROOT, base):.2f} s",
        "detail": {"guard_s": round(guard, 2), "report_s": round(report, 2), "base": base},
    }


def review_1000_assets_seconds() -> dict[str, Any]:
    """Seconds of guard and report together on 1 000 generated assets, a change in each of fifty and in one image."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        _generate(root)
        guard, report = _seconds(root, "guard", "HEAD"), _seconds(root, "report", "HEAD")
        bare = _git_seconds(root, "HEAD")
    return {
        "value": round(guard + report, 2),
        "unit": "s",
        "goal": "< 10",
        "peer": f"git diff --stat alone: {bare:.2f} s",
        "detail": {"guard_s": round(guard, 2), "report_s": round(report, 2), "assets": 1000},
    }


def _generate(root: Path) -> None:
    """A committed repo of 1 000 assets, and uncommitted edits in it."""
    texts = {f"src/p{n}/{name}.py": f"VALUE = {n}\n" for n in range(20) for name in ("step", "helper", "more")}
    for i in range(ENVIRONMENTS):
        head = f"$schema: {SCHEMAS}/environment.schema.json\nname: env_{i}\n"
        texts[f"ml/environments/env_{i}.yml"] = f'{head}version: "1"\ndescription: E.\nbuild:\n  path: env_{i}\n'
        texts[f"ml/environments/env_{i}/Dockerfile"] = f"FROM python:3.11.{i}-slim\n"
    for i in range(COMPONENTS):
        texts[f"ml/components/step_{i}.yml"] = _COMPONENT.format(schemas=SCHEMAS, i=i, folder=i % 20, env=i % 50)
    for i in range(PIPELINES):
        texts[f"ml/pipelines/pipe_{i}.yml"] = _pipeline(i)
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    _git(root, "init", "--quiet")
    _git(root, "add", "--all")
    _git(root, "-c", "user.name=b", "-c", "user.email=b@example.com", "commit", "--quiet", "-m", "Start")
    for i in range(0, COMPONENTS, 17):
        spec = root / f"ml/components/step_{i}.yml"
        spec.write_text(spec.read_text(encoding="utf-8").replace("default: 0.5", "default: 0.6"), encoding="utf-8")
    (root / "ml/environments/env_3/Dockerfile").write_text("FROM python:3.11.9-slim\n", encoding="utf-8")


def _pipeline(i: int) -> str:
    jobs = ""
    for n in range(8):
        data = f"${{{{parent.jobs.job_{n - 1}.outputs.out}}}}" if n else "${{parent.inputs.data}}"
        step = (i * 8 + n) % COMPONENTS
        jobs += f"  job_{n}:\n    type: command\n    component: ../components/step_{step}.yml\n"
        jobs += f"    inputs:\n      data: {data}\n"
    head = f"$schema: {SCHEMAS}/pipelineJob.schema.json\ndisplay_name: P{i}\ntype: pipeline\n"
    return f"{head}inputs:\n  data:\n    type: uri_folder\n    path: azureml:sales@latest\njobs:\n{jobs}"


def _seconds(root: Path, verb: str, base: str) -> float:
    """Seconds of one call as make makes it; the faster of two, since a busy machine only adds."""
    command = [sys.executable, "-m", "review", verb, "--base", base]
    runs = []
    for _ in range(2):
        start = time.perf_counter()
        done = subprocess.run(command, cwd=root, capture_output=True, check=False)
        runs.append(time.perf_counter() - start)
        if done.returncode not in (0, 1):
            raise RuntimeError(f"{verb} ended with {done.returncode}: {done.stderr.decode()[-300:]}")
    return min(runs)


def _git_seconds(root: Path, base: str) -> float:
    start = time.perf_counter()
    _git(root, "diff", "--stat", base)
    return time.perf_counter() - start


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout  # noqa: S607

"""What make says of a mistake on its command line, or of a machine that lacks something, and what its verbs leave."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from helpers_sales import daily_sales

pytestmark = pytest.mark.slow  # each call starts the program

ROOT = Path(__file__).parents[2]
DROPPED = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "AZ_ML", "ENV", "LOCALML_HOME", "LOCALML_WARM")
TOOLS = "env git make sh"


def make(*arguments: str, cwd: Path = ROOT, code: int = 2, **variables: str) -> str:
    """stdout and stderr of make."""
    env = {key: value for key, value in os.environ.items() if key not in DROPPED} | variables
    done = subprocess.run(
        ["make", *arguments], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=550
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def bare_path(tmp_path: Path) -> str:
    """A PATH with the usual tools, and neither Python nor az."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS.split():
        if program := shutil.which(tool):
            (folder / tool).symlink_to(program)
    return str(folder)


@pytest.fixture
def no_az(bare_path: str) -> str:
    """The same with Python."""
    (Path(bare_path) / "python3.11").symlink_to(sys.executable)
    return bare_path


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("HOLDOUT_MONTH=3", "HOLDOUT_MONTH is not a variable of make run-pipeline: did you mean HOLDOUT_MONTHS?"),
        ("holdout_months=3", "holdout_months is not a variable of make run-pipeline: did you mean HOLDOUT_MONTHS?"),
        ("STRIKT=1", "did you mean STRICT?"),
        ("GRIAN=category", "did you mean GRAIN?"),
        (
            "COLOUR=blue",
            "COLOUR is not a variable of make run-pipeline: `./demand run-pipeline --help` says what it takes",
        ),
        ("NOTHING_LIKE_IT=1", "`./demand run-pipeline --help` says what it takes"),
    ],
)
def test_a_mistyped_variable_is_refused_with_what_was_meant_before_anything_runs(typed: str, said: str) -> None:
    line, _ = make("run-pipeline", typed).splitlines()
    assert said in line


@pytest.mark.parametrize("name", ["LOCALML_MAX_PARALLEL", "ARM_TENANT_ID", "SNOWFLAKE_ACCOUNT", "UV", "CLUSTER"])
def test_what_only_the_programs_read_may_be_given_too(name: str) -> None:
    assert "run-pipeline" in make("help", f"{name}=1", code=0)


def test_a_variable_of_another_verb_of_the_same_call_is_let_pass() -> None:
    said = make("help", "seed-sales", "FILE=/none.csv")
    assert "Main job" in said and "error: /none.csv: no such file" in said


def test_a_mistyped_verb_is_refused_with_what_was_meant() -> None:
    line, _ = make("run-pipelin").splitlines()
    assert line == "error: No such command 'run-pipelin'. Did you mean 'run-pipeline'?; `./demand --help` lists them"


def test_no_script_needs_more_than_the_bash_that_macos_brings() -> None:
    # bash 3.2 knows no readarray, no associative arrays, no `source <(...)`, no slice of an array that may be empty.
    newer = re.compile(r"readarray|mapfile|declare -A|(?:source|\.) <\(|\$\$\{\w+\[@\]:|\$\$\{\w+(?:,,|\^\^)")
    for path in (ROOT / "demand", *(ROOT / "infra").glob("*.sh")):
        assert newer.findall(path.read_text()) == [], path


@pytest.mark.parametrize("name", ["foo", "", "production"])
def test_another_environment_is_refused_in_one_line(name: str) -> None:
    line, _ = make("status", f"ENV={name}").splitlines()
    assert f"ENV={name} is not an environment: give local, dev or prod" in line


@pytest.mark.parametrize(
    "verb",
    [
        "predict STORE=S001 MONTH=2026-12",
        "status",
        "verdict",
        "run-pipeline",
        "forecast",
        "deploy",
        "rollback",
        "import-data",
        "register-assets",
        "instance-types",
        "drift",
    ],
)
def test_without_az_every_verb_of_azure_ends_with_one_line(no_az: str, verb: str) -> None:
    said = make(*verb.split(), "ENV=dev", PATH=no_az)
    assert [line for line in said.splitlines() if not line.startswith("make: ***")] == [
        "error: ENV=dev needs the Azure CLI, and az is not on PATH: make doctor says what to install"
    ]


def test_without_python_one_line_says_how_to_get_it(bare_path: str, tmp_path: Path) -> None:
    said = make("setup", f"VENV={tmp_path / 'venv'}", PATH=bare_path)
    (line,) = [line for line in said.splitlines() if not line.startswith("make: ***")]
    assert line.startswith("error: no Python on PATH, 3.11 to 3.13 is needed: pipx run uv python install 3.11, then ")


def test_a_python_of_another_version_is_named(bare_path: str, tmp_path: Path) -> None:
    other = tmp_path / "python3"
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    said = make("setup", f"VENV={tmp_path / 'venv'}", f"PYTHON={other}", PATH=bare_path)
    assert f"error: Python 3.11 to 3.13 is needed, {other} is another: " in said


def test_the_doctor_works_before_there_is_an_environment(no_az: str, tmp_path: Path) -> None:
    said = make("doctor", f"VENV={tmp_path / 'venv'}", PATH=no_az, code=0)
    assert "python" in said and "az " in said
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("module", ["frontdoor", "warehouse", "rollout", "servers", "predict", "localml"])
def test_an_interrupt_while_a_program_loads_prints_no_traceback(module: str, tmp_path: Path) -> None:
    """Ctrl-C between two recipes meets a program that has not yet come to its own handling of it."""
    code = f"import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nimport {module}.__main__\n"
    python = ROOT / ".venv/bin/python"
    env = {**os.environ, "LOCALML_HOME": str(tmp_path)}
    done = subprocess.run([python, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


@pytest.mark.slow
def test_ctrl_c_at_any_moment_of_a_run_prints_no_traceback(tmp_path: Path) -> None:
    env = {key: value for key, value in os.environ.items() if key not in DROPPED} | {"LOCALML_HOME": str(tmp_path)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    for seconds in (0.2, 0.5, 0.9, 1.4, 2.2, 3.5):
        run = subprocess.Popen(["make", "run-pipeline"], cwd=ROOT, env=env, start_new_session=True, **pipes)
        time.sleep(seconds)
        os.killpg(run.pid, signal.SIGINT)
        said, _ = run.communicate(timeout=60)
        assert run.returncode != 0
        # An interpreter that is interrupted before it has read its own site module says so itself; none of our code
        # has run by then, so nothing of ours can keep it from that.
        assert "Traceback" not in said or "Fatal Python error: init_import_site" in said, said
    make("stop", code=0, LOCALML_HOME=str(tmp_path))


@pytest.mark.slow
def test_a_checkout_whose_path_has_a_blank_trains_forecasts_and_stops(tmp_path: Path) -> None:
    repo = tmp_path / "a b" / "repo"
    files = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    for name in filter(None, files.split("\0")):
        if (ROOT / name).is_file():
            (repo / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, repo / name)
    sales = tmp_path / "my sales.csv"
    daily_sales(stores=3, first="2022-01-01", last="2024-06-20").to_csv(sales, index=False)
    said = make("run-pipeline", f"SALES={sales}", "HOLDOUT_MONTHS=3", cwd=repo, code=0).splitlines()
    warning = "aggregate: Sales end on 2024-06-20: 2024-06 is incomplete and not learned from"
    last = said.index("PASS=9 WARN=1 ERROR=0")
    assert said[last - 2 : last] == ["Warnings:", f"  - {warning}"]
    verdict = json.loads(make("verdict", cwd=repo, code=0))
    assert verdict["warnings"] == [dict(zip(("step", "message"), warning.split(": ", 1), strict=True))]
    (page,) = repo.glob(".localml/jobs/train-*/outputs/report/report.html")
    assert f"<li>{warning}</li>" in page.read_text(encoding="utf-8")
    again = make("run-pipeline", "HOLDOUT_MONTHS=3", cwd=repo, code=0).splitlines()
    assert any("aggregate: reused from" in line for line in again)
    assert f"  - {warning}" in again, "a reused step's warnings still hold"
    assert (repo / ".localml/jobs").is_dir()
    own = {key: value for key, value in os.environ.items() if key not in DROPPED}
    command = ["./demand", "ml", "job", "list"]
    listed = subprocess.run(command, cwd=repo, env=own, capture_output=True, text=True, check=True)
    assert json.loads(listed.stdout)
    assert make("stop", cwd=repo, code=0) == "Ended: the warehouse\n"
    assert make("stop", cwd=repo, code=0) == "Nothing was running\n"

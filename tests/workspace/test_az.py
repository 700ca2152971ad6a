"""The recipes of ENV=dev reach the workspace by an `az` over the real azure-ai-ml, in both supported versions."""

import gzip
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import workspace_kit
from workspace_kit import Shell

from workspace.az.flags import FLAGS

pytestmark = pytest.mark.slow
REFERENCE = workspace_kit.ROOT.parent / "shared/tools/az-offline/az-reference.json.gz"


@pytest.fixture(scope="module", params=["2.44", "2.45"])
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with workspace_kit.shell(tmp_path_factory.mktemp("home"), request.param) as result:
        yield result


def test_it_says_that_it_is_one_of_the_supported_extensions(shell: Shell) -> None:
    extension = json.loads(shell.run("az version").stdout)["extensions"]["ml"]
    assert extension in ("2.44.1", "2.45.0")
    shell.run(".venv/bin/python -m pipeline.extension")


def test_the_components_are_registered_and_drift_finds_them_as_git_has_them(shell: Shell) -> None:
    shell.run("make register-assets ENV=dev")
    drift = shell.run("make drift ENV=dev", code=2).stdout
    assert "online-endpoint gbj-dmd-dev-fc: is not there" in drift
    assert "component" not in drift


def test_what_does_not_exist_ends_with_three_and_an_error_on_stderr(shell: Shell) -> None:
    done = shell.run("az ml job show --name nothing-of-this-name", code=3)
    assert done.stdout == ""
    assert "ERROR: " in done.stderr


def test_a_flag_of_another_verb_is_a_wrong_call(shell: Shell) -> None:
    assert "unrecognized arguments: --traffic" in shell.run("az ml job show --name x --traffic a=1", code=2).stderr
    assert "required: --name" in shell.run("az ml job show", code=2).stderr


def test_it_prints_states_and_warnings_as_the_extension_does(shell: Shell, tmp_path: Path) -> None:
    """States: azureml-examples #4123. Warnings: azure-ai-ml `_utils/_experimental.py`."""
    step = "jobs:\n  say: {type: command, command: echo hello, environment: azureml:plain:1}\n"
    (tmp_path / "job.yml").write_text(f"type: pipeline\nsettings: {{default_compute: azureml:cpu-cluster}}\n{step}")
    (tmp_path / "environment.yml").write_text('name: plain\nversion: "1"\nimage: ubuntu:24.04\n')
    shell.run(f"az ml environment create --file {tmp_path}/environment.yml --output none")
    created = shell.run(f"az ml job create --file {tmp_path}/job.yml --name hello")
    assert json.loads(created.stdout)["name"] == "hello"
    shell.run("az ml job stream --name hello")
    state = shell.run("az ml job show --name hello --query status --output tsv").stdout.strip()
    is_older = "2.44" in shell.run("az version").stdout
    assert state == ("Completed" if is_older else "JobStatus.COMPLETED")
    assert "This is an experimental class" in created.stderr


def test_a_recipe_says_in_one_line_that_there_is_no_endpoint(shell: Shell) -> None:
    error = shell.run("make predict STORE=S001 MONTH=2026-12 ENV=dev", code=2).stderr
    assert error.startswith("error: there is no endpoint gbj-dmd-dev-fc yet")


def test_a_call_is_made_without_the_preloaded_interpreter_where_none_waits(shell: Shell) -> None:
    done = shell.run("AZ_PRELOADED=/nowhere/az.sock az ml compute list --query '[].name'")
    assert json.loads(done.stdout) == ["aks-inference"]


def test_a_call_ends_with_the_caller_that_is_killed(shell: Shell) -> None:
    rules = shell.home / "workspace" / "faults.json"
    rules.write_text(json.dumps([{"path": "/computes", "seconds": 15, "at": None}]))
    preloaded = psutil.Process(json.loads((shell.home / "workspace" / "az.json").read_text())["pid"])
    command = f"source {shell.home}/workspace/az.sh; exec az ml compute list"
    env = workspace_kit.variables_of_make(shell.home)
    caller = subprocess.Popen(["bash", "-c", command], cwd=workspace_kit.ROOT, env=env, stderr=subprocess.DEVNULL)
    _wait(lambda: bool(_running(preloaded)))
    caller.kill()
    caller.wait()
    _wait(lambda: not _running(preloaded), 5)
    rules.unlink()


def _running(process: psutil.Process) -> list[psutil.Process]:
    return [each for each in process.children() if each.status() != psutil.STATUS_ZOMBIE]


def _wait(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.05)


@pytest.mark.skipif(not REFERENCE.is_file(), reason="the CLI's reference is not beside this checkout")
def test_the_flags_are_those_of_the_clis_reference() -> None:
    commands = json.loads(gzip.decompress(REFERENCE.read_bytes()))["commands"]
    for group, verbs in FLAGS.items():
        for verb, flags in verbs.items():
            known = {
                name: bool(each.get("r")) for each in commands[f"ml {group} {verb}"][-1]["p"] for name in each["n"]
            }
            for flag in flags.split():
                assert known.get(flag.rstrip("!")) == flag.endswith("!"), f"az ml {group} {verb} {flag}"

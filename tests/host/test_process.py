"""Waiting for steps: the end of one is seen at once, and a machine without pidfd_open(2) waits the whole time."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from host import process


def start(*command: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_end_of_one_of_several_children_is_seen_at_once() -> None:
    quick, slow = start("true"), start("sleep", "60")
    began = time.monotonic()
    process.wait([quick, slow], 30)
    assert time.monotonic() - began < 10
    assert (quick.poll(), slow.poll()) == (0, None)
    slow.kill()
    slow.wait()


def test_the_wait_ends_when_nothing_has() -> None:
    slow = start("sleep", "60")
    before = open_files()
    began = time.monotonic()
    process.wait([slow], 0.05)
    process.wait([], 0.05)
    assert time.monotonic() - began >= 0.1
    assert open_files() == before
    slow.kill()
    slow.wait()


def test_where_the_machine_has_no_such_call_the_time_is_slept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "pidfd_open")
    began = time.monotonic()
    process.wait([], 0.05)
    process.wait([start("true")], 0.05)
    assert time.monotonic() - began >= 0.1


def test_a_child_that_was_waited_for_already_is_no_error() -> None:
    done = start("true")
    done.wait()
    process.wait([done], 0.01)


def test_a_process_of_the_engine_is_no_client_of_a_workspace_that_the_shell_has_sourced(monkeypatch):
    """Once that workspace has ended, azureml-mlflow would ask an address where nothing answers."""
    stale = {"ARM_CLOUD_METADATA_URL": "https://127.0.0.1:1/metadata", "IDENTITY_HEADER": "secret", "LOCALML_STEP": "x"}
    for name, value in {**stale, "LANG": "C.UTF-8"}.items():
        monkeypatch.setenv(name, value)
    variables = process.inherited()
    assert variables["LANG"] == "C.UTF-8"
    assert not stale.keys() & variables.keys()

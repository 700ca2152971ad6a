"""A full disk: the user reads what happened, nothing half-written is kept, and the next run works."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0,
    reason="mounting a small tmpfs needs root on Linux: disk full not tried",
)

FILL = """
import argparse, pathlib
parser = argparse.ArgumentParser()
parser.add_argument("--megabytes", type=int)
parser.add_argument("--out")
args = parser.parse_args()
(pathlib.Path(args.out) / "data").write_bytes(b"x" * args.megabytes * 2**20)
"""


@pytest.fixture
def small(engine):
    """State on a disk of 4 MB."""
    kept = engine.home.rename(engine.home.with_name("kept"))
    engine.home.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(engine.home)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let root mount a tmpfs: disk full not tried")
    subprocess.run(["cp", "-a", f"{kept}/.", str(engine.home)], check=True)
    inputs = {"megabytes": {"type": "integer"}}
    engine.component("fill", FILL, inputs, {"out": {"type": "uri_folder"}})
    node = {"component": "fill.yml", "inputs": {"megabytes": "${{parent.inputs.megabytes}}"}}
    engine.pipeline({"fill": node}, inputs={"megabytes": 1})
    yield engine
    subprocess.run(["umount", str(engine.home)], check=True)


def test_a_step_that_fills_the_disk_leaves_nothing_and_the_next_run_works(small):
    done = small.run("job", "create", "-f", "pipeline.yml", "--stream", "--set", "inputs.megabytes=9", code=1)
    assert "No space left on device" in done.stderr
    assert "fill: ended with exit code 1 (No space left on device: free space below" in done.stderr
    assert small.jobs_left("jobs/*/fill/outputs") == []
    assert small.job()["status"] == "Completed"


def test_an_engine_that_cannot_write_its_own_state_says_so_in_one_line(small):
    ballast = small.home / "ballast"
    with ballast.open("wb") as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(b"x" * 65536)
            file.flush()
    done = small.run("job", "create", "-f", "pipeline.yml", "--stream", code=1)
    assert done.stderr.startswith("error: ")
    assert "No space left on device: free space" in done.stderr
    assert done.stderr.count("\n") == 1
    ballast.unlink()
    assert small.job()["status"] == "Completed"


def test_data_that_do_not_fit_their_type_are_not_registered(small):
    Path(small.root / "big").write_bytes(b"x" * 9 * 2**20)
    done = small.run("data", "create", "--name", "big", "--path", "big", "--type", "uri_file", code=1)
    assert "No space left on device" in done.stderr
    assert small.json("data", "list") == []
    assert small.jobs_left("assets/data/big/.new-*") == []

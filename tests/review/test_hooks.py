"""The hooks of pre-commit and the Makefile are one list."""

import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_every_hook_is_a_target_of_the_makefile() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repo["repo"] for repo in config["repos"]] == ["local"]
    hooks = config["repos"][0]["hooks"]
    assert {stage for hook in hooks for stage in hook["stages"]} == {"pre-commit", "pre-push"}
    for hook in hooks:
        command = hook["entry"].split()
        assert command[0] == "make"
        done = subprocess.run(
            ["make", "--dry-run", *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert hook["pass_filenames"] is False

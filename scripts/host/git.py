"""git as our tools call it: a user's own tool, whose last words are the error."""

import os
import shutil
import subprocess
from pathlib import Path

from amlspec.errors import UserError


def git(*words: str, **environ: str) -> str:
    """stdout of a call. Raises UserError with what git says where it fails or is not there."""
    program = shutil.which("git")
    if program is None:
        raise UserError("git is not on PATH", 1)
    done = subprocess.run([program, *words], capture_output=True, text=True, check=False, env={**os.environ, **environ})
    if done.returncode:
        said = (done.stderr.strip() or "failed").splitlines()
        raise UserError(f"git {' '.join(words[:4])}: {said[-1]}", 1)
    return done.stdout.strip()


def check_out(root: Path, target: Path, revision: str) -> None:
    """The files of a commit of `root` in a folder of their own, with its branches as those of origin.

    A commit that no branch reaches counts, too; the history is shared. Raises UserError where the commit is not here.
    """
    git("clone", "--quiet", "--shared", "--no-checkout", str(root), str(target))
    git("-C", str(target), "checkout", "--quiet", "--detach", revision)

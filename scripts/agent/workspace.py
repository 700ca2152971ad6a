"""Folders of a run: the checkout of each job, artifacts, caches, logs."""

import hashlib
import re
import shutil
import tempfile
from pathlib import Path

from amlspec.errors import UserError
from host import git

KEPT_RUNS = 10


class Workspace:
    """Folders of one run. One agent works at a time, so every job has its sources at the same place, as on an agent."""

    def __init__(self, root: Path, home: Path, name: str, ref: str) -> None:
        self.root, self.ref = root, ref
        self.home = home / "ci"
        self.run = self.home / "runs" / name
        self.work = self.home / "work"
        self.sources, self.staging, self.temp = self.work / "s", self.work / "a", self.work / "tmp"
        self.artifacts, self.logs = self.run / "artifacts", self.run / "logs"
        self.logs.mkdir(parents=True)
        self.artifacts.mkdir()
        for old in sorted(self.run.parent.iterdir())[:-KEPT_RUNS]:
            shutil.rmtree(old, ignore_errors=True)

    def begin_job(self) -> None:
        """Empty folders, and no sources before a checkout."""
        self.end_orphans()
        shutil.rmtree(self.work, ignore_errors=True)
        for folder in (self.sources, self.staging, self.temp):
            folder.mkdir(parents=True)

    def end_orphans(self) -> None:
        """End what a job left running with its state in the checkout, such as a warehouse; an agent does so, too.

        Servers of dev and prod have their state elsewhere, and stay.
        """
        import psutil  # noqa: PLC0415 - 30 ms

        ended = []
        for process in psutil.process_iter():
            try:
                state = process.environ().get("LOCALML_HOME", "")
            except psutil.Error:
                continue
            if state.startswith(f"{self.sources}/"):
                process.kill()
                ended.append(process)
        psutil.wait_procs(ended, timeout=5)

    def check_out(self) -> None:
        """The commit of the run, with the branches that it may be compared with."""
        shutil.rmtree(self.sources)
        git.check_out(self.root, self.sources, self.ref)

    def publish(self, source: Path, name: str) -> Path:
        """Keep a file or a folder as an artifact. Raises UserError where it is not there, or the name is taken."""
        target = self.artifacts / _plain(name)
        if not source.exists():
            raise UserError(f"{source}: not there, so the artifact {name} is not published", 1)
        if target.exists():
            raise UserError(f"the artifact {name} is published already in this run", 1)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True)
        else:
            target.mkdir()
            shutil.copy2(source, target)
        return target

    def download(self, name: str, target: Path) -> None:
        """Bring an artifact of this run. Raises UserError where there is none."""
        source = self.artifacts / _plain(name)
        if not source.is_dir():
            known = ", ".join(sorted(each.name for each in self.artifacts.iterdir())) or "none"
            raise UserError(f"no artifact {name} in this run: there are {known}", 1)
        shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)

    def cache(self, key: str) -> Path:
        """Folder of a cache key."""
        return self.home / "caches" / hashlib.sha256(key.encode()).hexdigest()[:24]

    def cache_key(self, pattern: str) -> str:
        """A key of Cache@2: texts in quotes, and files whose content counts. Raises UserError for a file not there."""
        parts = []
        for each in (part.strip() for part in pattern.split("|")):
            if each.startswith('"') or not re.search(r"[./*]", each):
                parts.append(each.strip('"'))
                continue
            files = sorted(self.sources.glob(each)) if not Path(each).is_absolute() else [Path(each)]
            if not files or not all(path.is_file() for path in files):
                raise UserError(f"Cache@2: key: {each} names no file", 1)
            parts.append(hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest())
        return "|".join(parts)


def snapshot(root: Path) -> tuple[str, str]:
    """(commit of what stands in the working tree, branch). Files that git ignores are left out; nothing is changed.

    Raises UserError outside of a git checkout with a commit.
    """
    head = git.git("-C", str(root), "rev-parse", "HEAD")
    branch = git.git("-C", str(root), "rev-parse", "--abbrev-ref", "HEAD")
    with tempfile.TemporaryDirectory() as folder:
        index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
        git.git("-C", str(root), "read-tree", "HEAD", **index)
        git.git("-C", str(root), "add", "--all", **index)
        tree = git.git("-C", str(root), "write-tree", **index)
    if tree == git.git("-C", str(root), "rev-parse", "HEAD^{tree}"):
        return head, branch
    return git.git("-C", str(root), *_SOMEBODY, "commit-tree", tree, "-p", head, "-m", "Working tree"), branch


_SOMEBODY = ("-c", "user.name=make ci", "-c", "user.email=make-ci@localhost")


def _plain(name: str) -> str:
    """A name that stays inside of its folder."""
    if not re.fullmatch(r"[\w.-]+", name) or name in (".", ".."):
        raise UserError(f"artifact {name}: give letters, digits, dots and dashes", 1)
    return name

"""Files of a commit and of the working tree, by blob id, so that only what differs is ever read."""

import subprocess
from functools import cached_property
from pathlib import Path
from typing import Protocol

from amlspec.errors import UserError


class Tree(Protocol):
    """Files at one moment: path -> blob id. Equal ids are equal bytes."""

    @property
    def files(self) -> dict[str, str]: ...

    def read(self, path: str) -> str: ...


class Git:
    """Git in one repository."""

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise UserError(f"{root} is not a folder")
        done = _run(["git", "rev-parse", "--show-toplevel"], root)
        if done.returncode:
            # Git itself says best what it minds, such as a folder of another owner in a build's container.
            why = (done.stderr.strip().splitlines() or ["no message"])[0]
            raise UserError(f"{root} is in no git repository that can be read: {why}")
        self.root = Path(done.stdout.strip())

    def run(self, *arguments: str, text: str | None = None) -> str:
        """Standard output. Raises UserError with git's own last line."""
        done = _run(["git", *arguments], self.root, text)
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise UserError(f"git {arguments[0]} failed: {last}")
        return done.stdout

    def commit(self, revision: str) -> str:
        """Full id of a revision."""
        done = _run(["git", "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}"], self.root)
        if done.returncode:
            raise UserError(f"BASE={revision} is not a revision here: fetch it, or give another such as BASE=HEAD~1")
        return done.stdout.strip()

    def default_base(self) -> str:
        """What work is merged into where nobody says: the remote's default branch, else main."""
        done = _run(["git", "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"], self.root)
        names = [done.stdout.strip(), "origin/main", "origin/master", "main", "master"]
        for name in filter(None, names):
            if not _run(["git", "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}"], self.root).returncode:
                return name
        raise UserError("no branch origin/main or main here: say what the work is merged into, BASE=revision")

    def merge_base(self, revision: str, head: str = "HEAD") -> str:
        """Where the work in `head` left `revision`."""
        done = _run(["git", "merge-base", self.commit(revision), head], self.root)
        if done.returncode:
            raise UserError(f"{revision} and {head} share no commit: fetch the whole history (git fetch --unshallow)")
        return done.stdout.strip()

    def line_counts(self, base: str, head: str | None = None) -> dict[str, tuple[int, int]]:
        """Path -> lines added and removed since a commit, up to another or to the disk; (0, 0) for a binary file."""
        counts = {}
        sides = [base] if head is None else [base, head]
        for row in self.run("diff", "--numstat", "--no-renames", "-z", *sides, "--").split("\0"):
            if row:
                added, removed, path = row.split("\t", 2)
                counts[path] = (0, 0) if added == "-" else (int(added), int(removed))
        return counts


def _run(command: list[str], root: Path, text: str | None = None) -> subprocess.CompletedProcess[str]:
    try:
        # Names of files are bytes; those that are not UTF-8 must come back as they were.
        return subprocess.run(
            command, cwd=root, input=text, capture_output=True, check=False, encoding="utf-8", errors="surrogateescape"
        )
    except FileNotFoundError as error:
        raise UserError("git is not on PATH: install it") from error


class CommitTree:
    """A commit. Contents come from one `git cat-file --batch` per reader."""

    def __init__(self, git: Git, commit: str) -> None:
        self._git, self.commit = git, commit
        self._reader: subprocess.Popen[bytes] | None = None

    @cached_property
    def files(self) -> dict[str, str]:
        files = {}
        for row in self._git.run("ls-tree", "-r", "-z", self.commit).split("\0"):
            if row:
                about, path = row.split("\t", 1)
                _, kind, blob = about.split()
                if kind == "blob":
                    files[path] = blob
        return files

    def read(self, path: str) -> str:
        """Text of a file; what is not UTF-8 is replaced."""
        if self._reader is None:
            command = ["git", "cat-file", "--batch"]
            self._reader = subprocess.Popen(
                command, cwd=self._git.root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        sender, receiver = self._reader.stdin, self._reader.stdout
        if sender is None or receiver is None:
            raise UserError("git cat-file did not start: check the installation of git")
        sender.write(f"{self.files[path]}\n".encode())
        sender.flush()
        size = int(receiver.readline().split()[2])
        body = receiver.read(size)
        receiver.read(1)
        return body.decode("utf-8", errors="replace")

    def close(self) -> None:
        """End the reader."""
        if self._reader is not None:
            self._reader.communicate()
            self._reader = None


class WorkTree:
    """What is on disk: tracked and new files, without what git ignores."""

    def __init__(self, git: Git) -> None:
        self._git = git

    @cached_property
    def files(self) -> dict[str, str]:
        files = dict(self._staged())
        touched = {path for path in self._git.run("diff-files", "--name-only", "-z").split("\0") if path}
        touched |= {path for path in self._git.run("ls-files", "-o", "--exclude-standard", "-z").split("\0") if path}
        present = sorted(path for path in touched if (self._git.root / path).is_file() and "\n" not in path)
        for path in touched - set(present):
            files.pop(path, None)
        ids = self._git.run("hash-object", "--stdin-paths", text="".join(f"{path}\n" for path in present))
        return files | dict(zip(present, ids.split(), strict=True))

    def _staged(self) -> list[tuple[str, str]]:
        rows = (row.split("\t", 1) for row in self._git.run("ls-files", "-s", "-z").split("\0") if row)
        return [(path, about.split()[1]) for about, path in rows if not about.startswith("160000")]

    def close(self) -> None:
        """Nothing is open."""

    def read(self, path: str) -> str:
        """Text of a file; what is not UTF-8 is replaced."""
        return (self._git.root / path).read_text(encoding="utf-8", errors="replace")

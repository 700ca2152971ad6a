"""Azure ML's mounts, for a step: an output that it can neither remove nor replace, an input that it cannot write.

On Linux each step gets a mount namespace of its own, in which outputs are bind mounts and inputs read-only ones; who is
not root gets a user namespace with it. Where the machine allows neither (macOS, some containers), permissions do what
they can: the folder that holds the outputs loses its write permission, and inputs of the user are copies.
"""

import ctypes
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_NEWNS, _NEWUSER = 0x0002_0000, 0x1000_0000
_RDONLY, _REMOUNT, _BIND, _REC, _PRIVATE, _RELATIME = 1, 32, 4096, 16384, 1 << 18, 1 << 21
# Flags of statvfs(3) that mount(2) knows by the same number: nosuid, nodev, noexec, noatime, nodiratime.
_KEPT = 2 | 4 | 8 | 1024 | 2048


@dataclass(frozen=True)
class Mounts:
    """Folders of outputs, and files or folders of inputs."""

    outputs: tuple[Path, ...] = ()
    inputs: tuple[Path, ...] = ()

    def enter(self) -> None:
        """Called in the child between fork and exec. Raises OSError where the machine does not allow it."""
        libc = ctypes.CDLL(None, use_errno=True)
        _unshare(libc)
        _mount(libc, Path("/"), _REC | _PRIVATE, source=b"none")
        for path in self.inputs:
            if any(output.is_relative_to(path) for output in self.outputs):
                continue  # a place of the datastore that the step reads and writes
            _mount(libc, path, _BIND | _REC)
            _mount(libc, path, _BIND | _REMOUNT | _RDONLY | _flags(path))
        for path in self.outputs:
            _mount(libc, path, _BIND | _REC)


def _unshare(libc: ctypes.CDLL) -> None:
    user, group = os.geteuid(), os.getegid()
    _check(libc.unshare(_NEWNS if user == 0 else _NEWNS | _NEWUSER), "unshare")
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _mount(libc: ctypes.CDLL, path: Path, flags: int, source: bytes | None = None) -> None:
    target = os.fsencode(path)
    _check(libc.mount(source or target, target, b"none", ctypes.c_ulong(flags), None), str(path))


def _check(returned: int, what: str) -> None:
    if returned:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _flags(path: Path) -> int:
    """Flags of the mount beneath, which an unprivileged remount may not drop."""
    flags = os.statvfs(path).f_flag
    return (flags & _KEPT) | (_RELATIME if flags & 4096 else 0)


@cache
def supported() -> bool:
    """Whether this machine lets a step have mounts of its own; tried, since no documented setting says so."""
    if sys.platform != "linux":
        return False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        (path / "in").mkdir()
        (path / "out").mkdir()
        mounts = Mounts((path / "out",), (path / "in",))
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", 'mkdir "$0/out/x" && ! mkdir "$0/in/x" 2>/dev/null', folder],
                preexec_fn=mounts.enter,
                check=False,
            )
        except (subprocess.SubprocessError, OSError):
            return False
        return done.returncode == 0

"""A step forked from a warm interpreter is a process as any other: its folder, variables, log, mounts and end."""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from host import mounts, process
from localml import warm
from localml.warm import Interpreter

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="steps are forked on Linux alone: not run here")
# What a new interpreter prints of itself.
PROBE = """
import json, os, signal, sys, tempfile
shell = {"_", "SHLVL", "PWD", "OLDPWD"}
about = {
    "argv": sys.argv[1:], "name": __name__, "cwd": os.getcwd(), "path": sys.path[0], "stdin": sys.stdin.read(),
    "environment": {k: v for k, v in sorted(os.environ.items()) if k not in shell},
    "temporary": tempfile.gettempdir(), "session": os.getsid(0) == os.getpid(), "umask": os.umask(0),
    "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
    "engine": [name for name in sys.modules if name.split(".")[0] in ("host", "localml", "amlspec")],
    "file": os.path.basename(__file__), "open": sorted(os.listdir("/proc/self/fd"))[:3],
}
print(json.dumps(about))
"""


@pytest.fixture(scope="module")
def interpreter() -> Iterator[Interpreter]:
    made = Interpreter(Path(sys.executable))
    deadline = time.monotonic() + 120
    while not made.is_ready():
        assert time.monotonic() < deadline and made._process.poll() is None
        time.sleep(0.05)
    yield made
    made._process.kill()
    made._process.wait()


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "tmp").mkdir()
    return process.environment("probe", Path(sys.executable), tmp_path / "tmp", {"OF_THIS_STEP": "1"})


def write(folder: Path, code: str) -> Path:
    (folder / "probe.py").write_text(code)
    return folder


def forked(
    interpreter: Interpreter, folder: Path, variables: dict[str, str], *words: str, inside: Any = None
) -> tuple[int, str]:
    """(exit code, log) of the module probe."""
    child = interpreter.fork(("probe", list(words)), folder, variables, folder / "log.txt", inside)
    return child.wait(), (folder / "log.txt").read_text()


@pytest.mark.slow
def test_it_sees_what_a_process_of_its_own_would_see(
    interpreter: Interpreter, tmp_path: Path, variables: dict[str, str]
) -> None:
    write(tmp_path, PROBE)
    code, log = forked(interpreter, tmp_path, variables, "a", "b c")
    child = process.spawn("python -m probe a 'b c'", tmp_path, variables, tmp_path / "cold.txt")
    assert (code, child.wait()) == (0, 0)
    assert json.loads(log) == json.loads((tmp_path / "cold.txt").read_text())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "expected", "said"),
    [
        ("import sys; sys.exit(3)", 3, ""),
        ("import sys; sys.exit('one line')", 1, "one line"),
        ("raise ValueError('odd')", 1, "ValueError: odd"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
        ("import atexit; atexit.register(print, 'last words')", 0, "last words"),
    ],
)
def test_its_end_is_its_own(
    interpreter: Interpreter, tmp_path: Path, variables: dict[str, str], code: str, expected: int, said: str
) -> None:
    ended, log = forked(interpreter, write(tmp_path, code), variables)
    assert ended == expected and said in log


@pytest.mark.slow
def test_two_steps_share_neither_random_numbers_nor_variables(
    interpreter: Interpreter, tmp_path: Path, variables: dict[str, str]
) -> None:
    write(tmp_path, "import os, random, numpy\nprint(random.random(), numpy.random.rand(), 'OTHER' in os.environ)")
    _, first = forked(interpreter, tmp_path, {**variables, "OTHER": "1"})
    (tmp_path / "log.txt").unlink()
    _, second = forked(interpreter, tmp_path, variables)
    assert first.split()[2] == "True" and second.split()[2] == "False"
    assert not set(first.split()[:2]) & set(second.split()[:2])


@pytest.mark.slow
@pytest.mark.skipif(not mounts.supported(), reason="this machine allows no mounts: read-only inputs were not tried")
def test_its_inputs_are_read_only(interpreter: Interpreter, tmp_path: Path, variables: dict[str, str]) -> None:
    given, made = tmp_path / "given", tmp_path / "made"
    given.mkdir()
    made.mkdir()
    write(
        tmp_path, "import sys, pathlib\npathlib.Path(sys.argv[2], 'x').touch()\npathlib.Path(sys.argv[1], 'x').touch()"
    )
    inside = mounts.Mounts((made,), (given,))
    code, log = forked(interpreter, tmp_path, variables, str(given), str(made), inside=inside)
    assert code == 1 and "Read-only file system" in log
    assert (made / "x").is_file() and not (given / "x").exists()


@pytest.mark.slow
def test_it_is_ended_with_its_children(interpreter: Interpreter, tmp_path: Path, variables: dict[str, str]) -> None:
    start = "import subprocess, time\nchild = subprocess.Popen(['sleep', '60'])\n"
    write(tmp_path, f"{start}print(child.pid, flush=True)\ntime.sleep(60)")
    child = interpreter.fork(("probe", []), tmp_path, variables, tmp_path / "log.txt", None)
    grandchild = int(_first_line(tmp_path / "log.txt"))
    process.terminate(child.pid)
    assert child.wait() == -signal.SIGTERM
    assert _is_gone(grandchild)


@pytest.mark.slow
def test_it_does_not_outlive_the_interpreter(tmp_path: Path, variables: dict[str, str]) -> None:
    own = Interpreter(Path(sys.executable))
    while not own.is_ready():
        time.sleep(0.05)
    write(tmp_path, "import time\nprint('here', flush=True)\ntime.sleep(60)")
    child = own.fork(("probe", []), tmp_path, variables, tmp_path / "log.txt", None)
    _first_line(tmp_path / "log.txt")
    own._process.kill()
    own._process.wait()
    assert child.wait() == -signal.SIGKILL and _is_gone(child.pid)
    with pytest.raises(OSError, match=r"ended|Broken pipe"):
        own.fork(("probe", []), tmp_path, variables, tmp_path / "log.txt", None)


def _first_line(log: Path) -> str:
    deadline = time.monotonic() + 30
    while not (log.exists() and log.read_text().strip()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return log.read_text().splitlines()[0]


def _is_gone(pid: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (
            "python -m sales.aggregate --sales '/a b/c' --grain store",
            ("sales.aggregate", ["--sales", "/a b/c", "--grain", "store"]),
        ),
        ("python train.py --x 1", None),
        ("python -m a && python -m b", None),
        ("python -m a --x $HOME", None),
        ("python -m a > log", None),
        ("X=1 python -m a", None),
        ("python -m", None),
    ],
)
def test_only_a_module_and_its_words_are_forked(command: str, expected: Any) -> None:
    assert warm.module_of(command) == expected


def test_it_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LOCALML_WARM", raising=False)
    warm.begin(Path("/nowhere/python"))
    assert Path("/nowhere/python") not in warm._interpreters


def test_a_forked_engine_has_an_interpreter_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    class Made:
        owner = os.getpid()

    python = Path(sys.executable)
    monkeypatch.setitem(warm._interpreters, python, Made())  # type: ignore[arg-type]
    assert warm._own(python) is not None
    monkeypatch.setattr(os, "getpid", lambda: Made.owner + 1)
    assert warm._own(python) is None


def test_a_job_of_one_step_loads_no_interpreter(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Path] = []
    monkeypatch.setattr(warm, "begin", begun.append)
    engine.component("a", "print(1)")
    engine.pipeline({"a": {"component": "./a.yml"}})
    engine.job()
    assert begun == []
    engine.pipeline({"a": {"component": "./a.yml"}, "b": {"component": "./a.yml"}})
    engine.job("--set", "settings.force_rerun=true")
    assert len(begun) == 1

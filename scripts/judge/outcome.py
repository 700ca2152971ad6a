"""What became of a job of the judge: its class, decided from exit code, logs and what its outputs must hold."""

import re
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from judge.calls import Done


class Class(StrEnum):
    """Classes of outcomes, the best first."""

    RIGHT = "ran, outputs as expected"
    UNREAD = "ran, outputs looked at by nobody"
    REFUSED = "refused by name"
    LACKS = "needs data, packages or programs that are not here"
    WRONG = "WRONG"


@dataclass(frozen=True)
class Outcome:
    """A job's class and the line that explains it."""

    of: Class
    line: str = ""


# A step that ended for what a laptop without these lacks, in the words of Python, of a shell and of libraries.
_LACKS = re.compile(
    r"ModuleNotFoundError: .*|.*: (?:command )?not found|.*/bin/\S+: No such file.*"
    r"|.*URLError.*|.*(?:ConnectionError|getaddrinfo|resolve host).*"
    r"|.*Cannot install mlflow.*"  # of another version than the store's
)
# The engine's own lines about what a job reads and the checkout does not bring.
_ABSENT = re.compile(
    r".*(?:is not registered here|does not exist|needs a path|https?: is not imitated|wasbs: is not imitated).*"
)
_EXIT_FAILED, _EXIT_LATE = 1, 124


def classify(done: Done, record: dict[str, Any], expected: dict[str, Any] | None, store: Path) -> Outcome:
    """The outcome of one run; `expected` is the job's entry in expected.yml, `store` MLflow's database."""
    if done.code == 0:
        if expected is None:
            return Outcome(Class.UNREAD)
        missing = _missing(record, expected, store)
        return _failed(record, "; ".join(missing), expected) if missing else Outcome(Class.RIGHT)
    if "Traceback" in done.said and not record:
        return Outcome(Class.WRONG, done.error)
    if done.code in (_EXIT_FAILED, _EXIT_LATE):
        return _failed(record, done.error, expected or {})
    return Outcome(Class.LACKS if _ABSENT.fullmatch(done.error) else Class.REFUSED, done.error)


def _failed(record: dict[str, Any], line: str, expected: dict[str, Any]) -> Outcome:
    """Of a job whose logs may say that something is not here; some samples go on without their data."""
    patterns = [_LACKS, re.compile(expected["lacks"])] if "lacks" in expected else [_LACKS]
    matches = (pattern.search(log) for log in _logs(record) for pattern in patterns)
    lack = next((match[0].strip() for match in matches if match), None)
    return Outcome(Class.LACKS, lack) if lack else Outcome(Class.WRONG, line)


def _logs(record: dict[str, Any]) -> list[str]:
    logs = [Path(step["log"]) for step in record.get("jobs", {}).values()]
    return [log.read_text(encoding="utf-8", errors="replace") for log in logs if log.is_file()]


def _missing(record: dict[str, Any], expected: dict[str, Any], store: Path) -> list[str]:
    """What logs, outputs and metrics should hold and do not."""
    steps = record["jobs"]
    said = []
    for step, wanted in (expected.get("log") or {}).items():
        path = Path(steps[step]["log"]) if step in steps else None
        text = path.read_text(encoding="utf-8", errors="replace") if path and path.is_file() else ""
        said += [f"log of {step}: no {each!r}" for each in _lacking(text, wanted)]
    for place, wanted in (expected.get("files") or {}).items():
        said += [f"{place}: no {each!r}" for each in _lacking(_content(steps, place), wanted)]
    logged = _metrics(store, record["name"])
    return said + [f"metric {each} was not logged" for each in expected.get("metrics") or () if each not in logged]


def _metrics(store: Path, job: str) -> set[str]:
    query = "select key from metrics where run_uuid in (select run_uuid from tags where key = ? and value = ?)"
    with closing(sqlite3.connect(store)) as database:
        return {str(row[0]) for row in database.execute(query, ("localml.job", job))}


def _lacking(text: str, wanted: list[str]) -> list[str]:
    return [each for each in wanted if not re.search(each, text, re.MULTILINE)]


def _content(steps: dict[str, Any], place: str) -> str:
    """Text of `<step>/<output>/<file>`, or of an output that is a file; for a folder the names of its files."""
    step, output, *rest = place.split("/", 2)
    base = (steps.get(step, {}).get("outputs") or {}).get(output)
    path = Path(base, *rest) if base else None
    if path is None or not path.exists():
        return ""
    if path.is_dir():
        return "\n".join(sorted(each.relative_to(path).as_posix() for each in path.rglob("*") if each.is_file()))
    return path.read_text(encoding="utf-8", errors="replace")

"""Verbs of `az ml` as functions: ENV=dev and ENV=prod run the command line, ENV=local the engine in this very process.

A parameter is the flag of that name (max_results is --max-results), but for `spec` (--file) and `settings` (--set).
"""

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from amlspec.document import display
from amlspec.errors import UserError
from host.state import home
from localml import commands, output, strict, verbs_endpoints, verbs_jobs
from localml.serving.minutes import Minute
from pipeline import answers


class NotFoundError(UserError):
    """The service has nothing of that name."""


def call(group: str, verb: str, /, **parameters: Any) -> Any:
    """The answer of a verb; an empty list where it lists what the service does not know.

    Raises UserError with the line of stderr that says what is wrong, NotFoundError where something shown is missing.
    """
    try:
        if is_local():
            return _local(group, verb, parameters)
        return answers.parse(_service([group, verb, *_flags(parameters), "--output", "json"]))
    except NotFoundError:
        if verb == "list":
            return []
        raise


def run(group: str, verb: str, /, **parameters: Any) -> None:
    """A verb whose answer is not needed, and so not asked for."""
    if is_local():
        _local(group, verb, parameters)
    else:
        _service([group, verb, *_flags(parameters), "--output", "none"])


def listed(group: str, verb: str, /, **parameters: Any) -> list[dict[str, Any]]:
    """What a list verb prints; empty too where the service does not know the name."""
    return list(call(group, verb, **parameters) or [])


def optional(group: str, verb: str, /, **parameters: Any) -> dict[str, Any] | None:
    """What a show verb prints; None where the service does not know the name."""
    try:
        shown: dict[str, Any] | None = call(group, verb, **parameters)
    except NotFoundError:
        return None
    return shown or None


def begin_job(spec: Path, name: str, settings: Sequence[str]) -> None:
    """`job create` that does not wait; on this machine it has no second interpreter to start."""
    if is_local():
        verbs_jobs.begin(spec, name=name, settings=settings)
    else:
        run("job", "create", spec=spec, name=name, settings=settings)


def is_stopped(endpoint: str) -> bool:
    """Whether an endpoint exists on this machine and no server runs for it: asking for its deployments starts them."""
    return is_local() and verbs_endpoints.is_stopped(endpoint)


def minutes(endpoint: str) -> list[Minute]:
    """What the requests of this machine's endpoint were like; nothing of one on Azure, or of none."""
    known = is_local() and verbs_endpoints.exists(endpoint)
    return verbs_endpoints.minutes(endpoint) if known else []


def is_local() -> bool:
    """Whether the engine is ours."""
    return os.environ.get("AZ_ML", "localml").endswith("localml")


def _service(words: Sequence[str]) -> str:
    """stdout of a call. Everything that stderr said is kept in a file where the call failed."""
    command = [*shlex.split(os.environ["AZ_ML"]), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise UserError(f"{command[0]} is not on PATH: `make doctor` says what to install", 1) from None
    if done.returncode == 0:
        return done.stdout
    kind = NotFoundError if answers.is_not_found(done.stderr) else UserError
    raise kind(f"{' '.join(command[:-2])}: {answers.error_line(done.stderr)}{_rest(done.stderr)}", 1)


def _rest(stderr: str) -> str:
    """Where the other lines of an error are."""
    if len(stderr.strip().splitlines()) <= 1:
        return ""
    folder = home() / "az-errors"
    folder.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile("w", dir=folder, suffix=".log", delete=False, encoding="utf-8") as log:
        log.write(stderr)
    return f" (all of it: {display(Path(log.name))})"


def _flags(parameters: Mapping[str, Any]) -> Iterator[str]:
    """Words of the command line."""
    for name, value in parameters.items():
        if value is None or value is False or value in ((), []):
            continue
        yield commands.flag(name)
        if isinstance(value, Mapping):
            yield " ".join(f"{key}={each}" for key, each in sorted(value.items()))
        elif isinstance(value, list | tuple):
            yield from map(str, value)
        elif value is not True:
            yield str(value)


def _local(group: str, verb: str, parameters: Mapping[str, Any]) -> Any:
    try:
        data = commands.run(group, verb, **parameters)
    except UserError as error:
        if answers.is_not_found(str(error)):
            raise NotFoundError(str(error), error.exit_code) from None
        raise
    if not strict.is_on():
        return data
    return answers.parse(strict.dots(group, verb) + output.text(data, "json"))

"""Calls of `az ml`, or of the local engine in this very process, which saves an interpreter's start each time."""

import argparse
import contextlib
import functools
import io
import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amlspec.document import display
from amlspec.errors import UserError
from host.state import home
from localml import cli, strict
from pipeline import answers


class NotFoundError(UserError):
    """The service has nothing of that name."""


def call(*words: str) -> Any:
    """The JSON that `$AZ_ML arguments` prints; an empty list where it lists what the service does not know.

    Raises UserError with the line of stderr that says what is wrong, NotFoundError where something shown is missing.
    """
    try:
        return _local(words) if is_local() else answers.parse(_service([*words, "--output", "json"]))
    except NotFoundError:
        if words[1] == "list":
            return []
        raise


def run(*words: str) -> None:
    """A verb whose answer is not needed, and so not asked for."""
    if is_local():
        _local(words)
    else:
        _service([*words, "--output", "none"])


def listed(*words: str) -> list[dict[str, Any]]:
    """What a list verb prints; empty too where the service does not know the name."""
    return list(call(*words) or [])


def optional(*words: str) -> dict[str, Any] | None:
    """What a show verb prints; None where the service does not know the name."""
    try:
        shown: dict[str, Any] | None = call(*words)
    except NotFoundError:
        return None
    return shown or None


def arguments(*words: str) -> argparse.Namespace:
    """A call of the local engine, parsed."""
    return _parser().parse_args([*words, "--output", "json"])


@functools.cache
def _parser() -> argparse.ArgumentParser:
    return cli.parser()


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


def _local(words: tuple[str, ...]) -> Any:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        args = arguments(*words)
        try:
            result = args.handler(args)
            if strict.is_on():
                cli.show(args, result)
        except UserError as error:
            if answers.is_not_found(str(error)):
                raise NotFoundError(str(error), error.exit_code) from None
            raise
    return answers.parse(printed.getvalue()) if strict.is_on() else result

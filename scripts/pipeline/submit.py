"""python -m pipeline.submit JOB --file SPEC --set ...: submit a job, then follow it by asking for its state.

Not `job create --stream`: with extension 2.45 that fails on a storage account without keys although the job runs
(azure-sdk-for-python #48972), and a token ends before a long pipeline does.
"""

import argparse
import difflib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from amlspec.document import display, read_document
from amlspec.errors import UserError
from pipeline import azml, components, watch


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.submit", description=__doc__)
    parser.add_argument("job", help="name of the job")
    parser.add_argument("--file", type=Path, required=True, help="the pipeline's spec")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings of the run")
    parser.add_argument("--watch", action="store_true", help="only follow a job that was submitted before")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Exit code: 0 the job completed, 1 it failed or was refused, 2 the call is wrong, 130 interrupted."""
    args = build_parser().parse_args(argv)
    try:
        return run(args.job, args.file, None if args.watch else args.set)
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code


def run(
    job: str,
    spec: Path,
    settings: Sequence[str] | None,
    *,
    repeats_warnings: bool = True,
    minutes: float | None = None,
) -> int:
    """Submit a job and follow it to its end: 0, or 130 where it was interrupted.

    Args:
        job: its name.
        spec: the pipeline.
        settings: `--set` values; None for a job that was submitted before.
        repeats_warnings: False where the caller says those of a job that completed.
        minutes: how long it is followed; None: to its end.

    Raises:
        UserError: it was refused (exit code 2), or did not complete (1).
    """
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        if settings is not None:
            submit(job, spec, list(settings))
        watch.until_final(job, spec, repeats_warnings, minutes)
    except KeyboardInterrupt:
        sys.stderr.write(f"error: {watch.interrupted(job)}\n")
        return 130
    finally:
        signal.signal(signal.SIGTERM, before)
    return 0


def submit(job: str, spec: Path, settings: list[str]) -> None:
    """Create the job, without waiting for it. On this machine an edited component runs at once, as a file."""
    check_names(spec, settings)
    if not azml.is_local():
        check_vault(spec, settings)
        settings = [*components.settings(spec), *settings]
    azml.begin_job(spec, job, settings)


def check_names(spec: Path, settings: Sequence[str]) -> None:
    """Raises UserError for a setting of an input or a job that the pipeline has not.

    `az ml job create --set` takes any name and adds it, so that a slip would run with what stands in the spec.
    """
    document = read_document(spec)
    for setting in settings:
        section, _, rest = setting.partition("=")[0].partition(".")
        known = document.data.get(section)
        name = rest.partition(".")[0]
        if section in ("inputs", "jobs") and rest and isinstance(known, dict) and name not in known:
            near = difflib.get_close_matches(name, map(str, known), 1)
            hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(map(str, known))}"
            raise UserError(f"{display(spec)}: no {section.removesuffix('s')} {name}: {hint}")


def check_vault(spec: Path, settings: list[str]) -> None:
    """Raises UserError where the job reads a private key and nothing says from which vault: refused here, and not
    minutes later on the cluster."""
    document = read_document(spec)
    given = dict(each.split("=", 1) for each in settings if "=" in each)
    kind = given.get("inputs.sign_in", (document.data.get("inputs") or {}).get("sign_in"))
    if kind == "key_pair" and not any(key.endswith(".vault_url") and value for key, value in given.items()):
        env = os.environ.get("ENV", "dev")
        fix = f"make outputs-infra ENV={env}, or give VAULT_URI=https://<vault>.vault.azure.net"
        raise UserError(
            f"{document.where('inputs', 'sign_in')}: key_pair, and the key's vault is not known here: {fix}"
        )


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # Nothing is left to tidy up, and an interpreter takes its time to end.
    os._exit(code)

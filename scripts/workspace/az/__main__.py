"""python -m workspace.az ml <group> <verb> ...: the call, its answer as the extension prints it, its exit code."""

import argparse
import logging
import os
import sys
from importlib.metadata import version
from typing import Any

from amlspec.errors import UserError
from localml import output
from workspace.az.flags import FLAGS

# azure-cli, core/util.py `handle_exception`: what does not exist ends with 3, another error of the service with 1.
NOT_FOUND, FAILED, WRONG_CALL = 3, 1, 2
_EXTENSIONS = {"1.34.1": "2.44.1", "1.35.2": "2.45.0"}
_FLAGS: dict[str, dict[str, Any]] = {
    "--file -f": {},
    "--name -n": {},
    "--version -v": {},
    "--label": {},
    "--set": {"nargs": "+", "action": "extend"},
    "--stream -s": {"action": "store_true"},
    "--max-results": {"type": int},
    "--include-disabled": {"action": "store_true"},
    "--parent-job-name": {},
    "--download-path -p": {"default": "."},
    "--output-name": {},
    "--all": {"action": "store_true"},
    "--resource-id": {},
    "--namespace": {},
    "--type -t": {},
    "--auth-mode": {},
    "--traffic": {},
    "--request-file": {},
    "--deployment-name -d": {},
    "--endpoint-name -e": {},
    "--key-type": {},
    "--all-traffic": {"action": "store_true"},
    "--skip-script-validation": {"action": "store_true"},
    "--lines": {"type": int},
    "--yes -y": {"action": "store_true"},
}
# Every verb has these.
_COMMON: dict[str, dict[str, Any]] = {
    "--resource-group -g": {},
    "--workspace-name -w": {},
    "--subscription": {},
    "--output -o": {"default": "json"},
    "--query": {},
    "--only-show-errors": {"action": "store_true"},
}


def main(words: list[str] | None = None) -> int:
    """Run one call."""
    given = sys.argv[1:] if words is None else words
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)
    if given[:1] == ["version"]:
        return _version(given)
    if given[:2] == ["account", "show"]:
        sys.stdout.write(output.text({"id": os.environ.get("AZURE_SUBSCRIPTION_ID")}, *_form(given)))
        return 0
    if given[:1] != ["ml"] or len(given) < 3:
        return _wrong(f"'{' '.join(given[:2])}' is misspelled or not recognized by the system.")
    return _ml(given[1], given[2], given[3:])


def _version(words: list[str]) -> int:
    """`az version`: the extension is that which carries this azure-ai-ml."""
    sdk = version("azure-ai-ml")
    shown = {"azure-cli": "2.91.0", "azure-cli-core": "2.91.0", "extensions": {"ml": _EXTENSIONS.get(sdk, sdk)}}
    sys.stdout.write(output.text(shown, *_form(words)))
    return 0


def _form(words: list[str]) -> tuple[str, str | None]:
    args = _parser("az", "").parse_known_args(words)[0]
    return args.output, args.query


def _ml(group: str, verb: str, flags: list[str]) -> int:
    from workspace.az import verbs  # noqa: PLC0415 - takes seconds, and `az version` needs none of it

    result = verbs.VERBS.get(group, {}).get(verb)
    if result is None:
        return _wrong(f"'{verb}' is misspelled or not recognized by the system: az ml {group} {verb}")
    args = _parser(f"az ml {group} {verb}", FLAGS[group][verb]).parse_args(flags)
    try:
        sys.stdout.write(output.text(verbs.shown(result(_client(args), args)), args.output, args.query))
    except UserError as error:
        return _wrong(str(error))
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # as azure-cli does with whatever a command raises
        sys.stderr.write(f"ERROR: {error}\n")
        return NOT_FOUND if getattr(error, "status_code", None) == 404 else FAILED
    return 0


def _parser(name: str, flags: str) -> argparse.ArgumentParser:
    """Takes the flags of a verb, and those of every verb; a flag of another verb is refused, as azure-cli does."""
    parser = argparse.ArgumentParser(prog=name, allow_abbrev=False)
    asked = {flag.rstrip("!"): flag.endswith("!") for flag in flags.split()}
    for names, options in {**_FLAGS, **_COMMON}.items():
        first = names.split()[0]
        if names in _COMMON or first in asked:
            parser.add_argument(*names.split(), **options, required=asked.get(first, False))
        else:  # a verb that several kinds share may look at it
            parser.set_defaults(**{first.strip("-").replace("-", "_"): options.get("default")})
    return parser


def _client(args: argparse.Namespace) -> Any:
    from azure.ai.ml import MLClient  # noqa: PLC0415
    from azure.identity import DefaultAzureCredential  # noqa: PLC0415

    subscription = args.subscription or os.environ.get("AZURE_SUBSCRIPTION_ID")
    group = args.resource_group or os.environ.get("AZURE_DEFAULTS_GROUP")
    name = args.workspace_name or os.environ.get("AZURE_DEFAULTS_WORKSPACE")
    return MLClient(DefaultAzureCredential(), subscription, group, name, enable_telemetry=False)


def _wrong(message: str) -> int:
    sys.stderr.write(f"ERROR: {message}\n")
    return WRONG_CALL


if __name__ == "__main__":
    raise SystemExit(main())

"""What a job's surroundings do: variables, mounts, identity, names that it reaches. One line each, and probe.json.

Standard library alone, so that it runs in every image. It changes nothing but its own output, and fails only where it
cannot write that: an answer that differs from the laptop's is what it is there to show.
"""

import argparse
import fcntl
import json
import os
import socket
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

VARIABLES = ("AZUREML_RUN_ID", "MLFLOW_RUN_ID", "MLFLOW_TRACKING_URI", "AZUREML_ARM_SUBSCRIPTION", "PYTHONPATH")
SECONDS = 10


def attempt(work: Callable[[], object]) -> str:
    """`yes`, or the name of the error."""
    try:
        work()
    except OSError as error:
        return f"no: {type(error).__name__} {error.errno or ''} {error.strerror or error}".strip()
    return "yes"


def mounts(given: Path, output: Path) -> dict[str, str]:
    """What input and output folder allow; docs of the mount promise neither rename nor locks."""
    inside, moved = output / "probe.txt", output / "moved.txt"
    answers = {"output exists before the step writes": "yes" if output.is_dir() else "no"}
    answers["output takes a file"] = attempt(lambda: inside.write_text("probe"))
    answers["output takes a rename"] = attempt(lambda: inside.rename(moved))
    answers["output takes a write after a seek back"] = attempt(lambda: _seek_back(moved))
    answers["output takes a lock"] = attempt(lambda: _lock(moved))
    answers["output lets a file go"] = attempt(moved.unlink)
    answers["output folder can be removed"] = attempt(output.rmdir)
    output.mkdir(parents=True, exist_ok=True)
    stray = given / "probe.txt"
    answers["input takes a file"] = attempt(lambda: stray.write_text("probe"))
    if stray.exists():
        stray.unlink()
    return answers


def _seek_back(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.write(b"0" * 4096)
        stream.seek(0)
        stream.write(b"1")


def _lock(path: Path) -> None:
    with path.open("r+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)


def reaches(host: str) -> str:
    """Whether a TCP connection to port 443 comes about: names, routes and firewall in one."""

    def connect() -> None:
        with socket.create_connection((host, 443), timeout=SECONDS):
            pass

    return attempt(connect)


def identity(resource: str) -> str:
    """Whether the compute's managed identity gives a token for a resource; the token itself is thrown away."""
    endpoint, client = os.environ.get("MSI_ENDPOINT"), os.environ.get("DEFAULT_IDENTITY_CLIENT_ID", "")
    if not endpoint:
        return "no: MSI_ENDPOINT is not set"
    url = f"{endpoint}?api-version=2017-09-01&resource={resource}&clientid={client}"
    request = urllib.request.Request(url, headers={"secret": os.environ.get("MSI_SECRET", "")})  # noqa: S310 - Azure's own

    def ask() -> None:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310
            json.load(answer)

    return attempt(ask)


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--given", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--hosts", default="pypi.org", help="host names, parted by commas")
    return parser


def main() -> int:
    """Run every probe."""
    args = build_parser().parse_args()
    answers = {f"variable {name}": "set" if os.environ.get(name) else "not set" for name in VARIABLES}
    answers |= mounts(args.given, args.output)
    answers |= {
        f"identity for {name}": identity(f"https://{name}") for name in ("storage.azure.com", "vault.azure.net")
    }
    answers |= {f"reaches {host}": reaches(host) for host in args.hosts.split(",") if host}
    sys.stdout.write("".join(f"{what}: {answer}\n" for what, answer in answers.items()))
    (args.output / "probe.json").write_text(json.dumps(answers, indent=1))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

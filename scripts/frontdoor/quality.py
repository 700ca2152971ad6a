"""Verbs of checks, tests and reviews."""

import contextlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from amlspec.errors import UserError
from frontdoor import environment, ready, site
from frontdoor.app import CHECKS, verb
from frontdoor.options import Base, Settings, words

# Two workers: the suite starts servers and pipelines of its own, more would only wait for each other.
WORKERS = 2
# YAML that people write; the broken specs of the corpus are wrong on purpose, and fixtures are as a tool wrote them.
YAML_FILES = ("*.yml", "*.yaml", ":!:tests/specs/broken", ":!:tests/*/fixtures/*")
# Findings read `path:line: message`, whoever made them; the column is dropped.
COLUMN = re.compile(r"^([^: ]+:\d+):\d+: ", re.MULTILINE)

Tests = Annotated[list[str] | None, typer.Option(help="files or names of tests; default: all")]
Workers = Annotated[int, typer.Option(help="tests at a time")]


Reports = Annotated[Path | None, typer.Option(help="folder for the results as JUnit's XML")]


class Check(NamedTuple):
    """A check: the module that makes it, and its words."""

    module: str
    words: Sequence[str] = ()
    files: Sequence[str] = ()


# The slowest first; they run side by side, and their output is joined in this order.
ALL = {
    "specs": Check("speccheck"),
    "types": Check("mypy", ["--no-error-summary"]),
    "sql": Check("sqlcheck"),  # what the local warehouse takes and Snowflake refuses
    "lint": Check("ruff", ["check", "--quiet", "--output-format", "concise"]),
    "format": Check("ruff", ["format", "--check", "--quiet", "--output-format", "concise"]),
    "yaml": Check("yamllint", ["--strict", "--format", "parsable"], YAML_FILES),
}


@verb(CHECKS, "make test TESTS=tests/rollout", "./demand test --tests tests/rollout")
def test(tests: Tests = None, test_workers: Workers = WORKERS, reports: Reports = None) -> int:
    """Every test, with whole pipelines and servers."""
    return _pytest(["-rs", *_junit(reports, "tests"), *_split(tests)], test_workers)


@verb(CHECKS)
def test_fast(
    tests: Tests = None,
    test_workers: Workers = WORKERS,
    reports: Reports = None,
    coverage: Annotated[bool, typer.Option("--coverage", help="say what the fast tests cover (needs REPORTS)")] = False,
) -> int:
    """The tests that need no pipeline and no server, in two minutes."""
    if coverage and not reports:
        raise UserError("where to? make test-fast COVERAGE=1 REPORTS=<folder>")
    given = ["-m", "not slow", *_junit(reports, "tests-fast"), *_split(tests)]
    if coverage:
        given += ["--cov=src", "--cov=scripts", "--cov-report="]
        given += [f"--cov-report=xml:{reports}/coverage.xml", f"--cov-report=markdown:{reports}/coverage.md"]
    return _pytest(given, test_workers)


@verb(CHECKS, "make bench ONLY=import_peak_mb", "make bench CURVES=1")
def bench(
    only: Annotated[str | None, typer.Option(help="name of one measurement")] = None,
    curves: Annotated[bool, typer.Option("--curves", help="draw docs/images/scale-*.svg of what is measured")] = False,
) -> int:
    """Measure speed and memory side by side, write bench.json (an hour in all; BENCH_ROWS= caps the largest sizes)."""
    return _module("bench", *(["--only", only] if only else []), *(["--curves"] if curves else []))


@verb(CHECKS, 'make results SALES="name=file.parquet other=file.parquet"')
def results(
    sales: Annotated[list[str] | None, typer.Option(help="NAME=FILE; default: the real sales beside it")] = None,
) -> int:
    """Measure every candidate on real and generated sales, write docs/results.md (some 15 minutes)."""
    return _module("results", *(["--sales", *sales] if sales else []))


@verb(CHECKS, "make check BASE=origin/main")
def check(
    base: Annotated[str | None, typer.Option(help="what the work is merged into: checks versions too")] = None,
) -> int:
    """Every check, side by side; findings as path:line: message."""
    checks = [*ALL.values(), *([_versions(base)] if base else [])]
    code = 0
    with ThreadPoolExecutor(len(checks)) as pool:
        for done in pool.map(_findings, checks):
            sys.stdout.write(done.stdout)
            sys.stderr.write(done.stderr)
            sys.stdout.flush()
            code = code or int(done.returncode != 0)
    return code


def _one(name: str) -> None:
    def alone() -> int:
        done = _findings(ALL[name])
        sys.stdout.write(done.stdout)
        sys.stderr.write(done.stderr)
        return done.returncode

    alone.__name__, alone.__doc__ = f"check_{name}", f"The check of {name} alone."
    verb(hidden=True)(alone)


for _name in ALL:
    _one(_name)


@verb(hidden=True)
def check_versions(base: Base = None) -> int:
    """Versions against what the work is merged into."""
    if not base:
        raise UserError("say what the work is merged into: make check-versions BASE=origin/main")
    return _module(*(_versions(base).module, *_versions(base).words))


@verb(CHECKS, "make docs SERVE=1")
def docs(serve: Annotated[bool, typer.Option("--serve", help="show the site at http://127.0.0.1:8000")] = False) -> int:
    """Build the site of docs/ into site/; a link or a page that leads nowhere ends it."""
    lock = Path("docs/requirements.txt")
    python = environment.beside(Path(".venv-docs"), lock, "the locked packages of the docs' site")
    # Its pins clash with ours. Material's notice is about an MkDocs to come.
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    words = ["serve"] if serve else ["build", "--strict"]
    spec = subprocess.run([sys.executable, "-m", "pictures.openapi", "docs/openapi.json"], check=False)
    return spec.returncode or subprocess.run([str(python), "-m", "mkdocs", *words], env=quiet, check=False).returncode


@verb(CHECKS)
def pictures() -> int:
    """Make the docs' pictures, recordings and sample outputs anew, from a run of its own (needs Chromium)."""
    return _module("pictures")


@verb(CHECKS)
def fmt() -> int:
    """Format specs (key order, one flag a line) and Python."""
    fix = _module("ruff", "check", "--quiet", "--fix-only")
    return _module("specfmt") or fix or _module("ruff", "format", "--quiet")


@verb(CHECKS, "make review BASE=origin/main OUTPUT=json")
def review(
    base: Base = None,
    verdict: Annotated[Path | None, typer.Option(help="verdict.json of a run to show")] = None,
    plan: Annotated[Path | None, typer.Option(help="Terraform's plan as JSON")] = None,
    output: Annotated[str, typer.Option(help="markdown or json")] = "markdown",
    with_forecasts: Annotated[
        bool, typer.Option("--forecasts", help="train both sides, and say what becomes of the forecast (Markdown)")
    ] = False,
    settings: Settings = None,
) -> int:
    """Say what merging will do."""
    if with_forecasts and (output != "markdown" or not site.is_local()):
        raise UserError("FORECASTS=1 trains on this machine and writes Markdown: leave ENV and OUTPUT out")
    code = _module("review", "report", *words(base=base, output=output, verdict=verdict, plan=plan))
    if code or not with_forecasts:
        return code
    with contextlib.redirect_stdout(sys.stderr):  # what is made ready says so; the report is alone on stdout
        ready.for_jobs()
    from forecastdiff import report  # noqa: PLC0415  scikit-learn with it, which would load for every verb

    sys.stdout.write(f"\n{report.of(Path.cwd(), base, settings or [])}")
    return 0


@verb(CHECKS)
def bump(base: Base = None) -> int:
    """Set the versions that changed content needs."""
    return _module("review", "bump", *words(base=base))


@verb(CHECKS)
def hooks() -> int:
    """Run the checks before each commit and push (needs pre-commit on PATH)."""
    try:
        return subprocess.run(["pre-commit", "install"], check=False).returncode  # noqa: S607
    except FileNotFoundError:  # a tool of the user, as git is
        raise UserError("pre-commit is not on PATH: pipx install pre-commit") from None


def _versions(base: str) -> Check:
    return Check("review", ["guard", "--base", base])


def _findings(check: Check) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", check.module, *check.words, *_files(check.files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    done.stdout = COLUMN.sub(r"\1: ", done.stdout)
    return done


def _files(patterns: Sequence[str]) -> list[str]:
    """What git knows or would add."""
    if not patterns:
        return []
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if Path(name).is_file()]


def _pytest(given: Sequence[str], workers: int) -> int:
    return _module("pytest", "-n", str(workers), "--dist", "worksteal", *given)


def _junit(folder: Path | None, name: str) -> list[str]:
    return [f"--junitxml={folder}/{name}.xml"] if folder else []


def _split(given: Sequence[str] | None) -> list[str]:
    return [word for each in given or () for word in shlex.split(each)]


def _module(name: str, *given: str) -> int:
    """A program of this environment, in a process of its own."""
    return subprocess.run([sys.executable, "-m", name, *given], check=False).returncode

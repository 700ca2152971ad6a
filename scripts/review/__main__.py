"""Command line: `python -m review report|guard|bump --base REV`. Exit 0 fine, 1 with findings, 2 for wrong usage."""

import argparse
import io
import json
import sys
from dataclasses import asdict
from pathlib import Path

from amlspec.errors import UserError
from review.bump import bump
from review.change import open_change
from review.extras import read_plan, read_verdict
from review.guard import guard
from review.markdown import render
from review.report import build


def build_parser() -> argparse.ArgumentParser:
    """Verbs and flags."""
    parser = argparse.ArgumentParser(prog="review", description="What merging will do, and whether versions are right.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    report = verbs.add_parser("report", help="say in Markdown or JSON what merging will do")
    report.add_argument("-o", "--output", choices=["markdown", "json"], default="markdown")
    report.add_argument("--verdict", type=Path, help="JSON of make verdict")
    report.add_argument("--plan", type=Path, help="JSON of terraform show -json")
    guarding = verbs.add_parser("guard", help="findings where content changed and the version did not")
    bumping = verbs.add_parser("bump", help="set the versions that the guard asks for")
    for verb in (report, guarding, bumping):
        verb.add_argument(
            "--base",
            metavar="REV",
            help="what the work will be merged into (default: origin's default branch, else main)",
        )
        if verb is not bumping:
            verb.add_argument("--head", metavar="REV", help="the work (default: the working tree)")
        verb.add_argument("--root", type=Path, default=Path(), help="root of the repo (default: here)")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one verb. Returns the exit code."""
    options = build_parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # arrows and odd file names on any terminal
    try:
        return {"report": _report, "guard": _guard, "bump": _bump}[options.verb](options)
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2


def _report(options: argparse.Namespace) -> int:
    with open_change(options.root, options.base, options.head) as change:
        change.require_specs()
        report = build(change)
    if options.verdict:
        report.metrics = read_verdict(options.verdict)
    if options.plan:
        report.terraform["plan"] = read_plan(options.plan)
    if options.output == "json":
        sys.stdout.write(json.dumps(asdict(report), indent=2, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(render(report))
    return 0


def _guard(options: argparse.Namespace) -> int:
    with open_change(options.root, options.base, options.head) as change:
        change.require_specs()
        verdicts = guard(change)
    sys.stdout.writelines(f"{verdict.finding}\n" for verdict in verdicts)
    return 1 if any(not verdict.warning for verdict in verdicts) else 0


def _bump(options: argparse.Namespace) -> int:
    with open_change(options.root, options.base) as change:
        change.require_specs()
    done = bump(options.root, options.base)
    with open_change(options.root, options.base) as change:
        left = [str(verdict.finding) for verdict in guard(change) if not verdict.warning]
    lines = [*done, *left] or ["nothing to bump: every changed asset has a higher version"]
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if left else 0


if __name__ == "__main__":
    raise SystemExit(main())

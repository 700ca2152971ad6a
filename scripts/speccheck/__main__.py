"""Command line: `python -m speccheck [--root DIR] [PATH...]`. Exit 0 clean, 1 with findings, 2 for wrong usage."""

import argparse
import sys
from pathlib import Path

from speccheck.check import paths_without_specs, run_checks


def build_parser() -> argparse.ArgumentParser:
    """Flags of the spec check."""
    parser = argparse.ArgumentParser(prog="speccheck", description="Check Azure ML specs; one finding a line.")
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or folders (default: ml)")
    parser.add_argument("--root", type=Path, default=Path(), help="root of the repo (default: here)")
    parser.add_argument(
        "--no-loaders", action="store_true", help="leave out azure-ai-ml, which takes seconds to import"
    )
    return parser


def main(argv: list[str] | None = None) -> int:
    """Print findings to stdout. Returns the exit code."""
    options = build_parser().parse_args(argv)
    paths = options.paths or [options.root / "ml"]
    for path in paths:
        if not path.exists():
            sys.stderr.write(f"error: {path} does not exist: name a file or folder with specs\n")
            return 2
    for path in paths_without_specs(options.root, paths):
        sys.stderr.write(f"error: no Azure ML spec in {path}: name the folder that holds them\n")
        return 2
    findings = run_checks(options.root, paths, loaders=not options.no_loaders)
    sys.stdout.writelines(f"{finding}\n" for finding in findings)
    return 1 if findings else 0


if __name__ == "__main__":
    raise SystemExit(main())

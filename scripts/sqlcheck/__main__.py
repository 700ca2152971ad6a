"""Command line: `python -m sqlcheck [PATH...]`. Exit 0 clean, 1 with findings, 2 for wrong usage."""

import argparse
import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from sqlcheck import rules, settings, texts
from sqlcheck.rules import Rule

DEFAULT = ("ml", "src", "scripts")
SUFFIXES = {".sql", ".yml", ".yaml", ".py"}
# Holds the fixed wording of the rules themselves, and statements for DuckDB behind fakesnow.
_APART = ("sqlcheck", "warehouse/server.py", "warehouse/stages.py")


def findings(path: Path) -> Iterator[tuple[int, Rule]]:
    """Line and rule of each fault in one file."""
    for before, sql in texts.sql_of(path):
        yield from ((before + line, rule) for line, rule in rules.check(sql))
    if path.suffix == ".py":
        yield from settings.check(ast.parse(path.read_text(encoding="utf-8"), str(path)))


def files_of(paths: list[Path]) -> Iterator[Path]:
    """The files at or below `paths`; our own package only where it is named."""
    for path in paths:
        if path.is_file():
            yield path
            continue
        for file in sorted(path.rglob("*")):
            if file.suffix in SUFFIXES and not any(part in file.as_posix() for part in _APART):
                yield file


def main(argv: list[str] | None = None) -> int:
    """Print findings as `path:line: message`. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="sqlcheck", description="Check SQL against Snowflake's rules.")
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or folders (default: the repo's)")
    paths = parser.parse_args(argv).paths or [Path(name) for name in DEFAULT]
    for path in paths:
        if not path.exists():
            sys.stderr.write(f"error: {path} does not exist: name a file or folder\n")
            return 2
    lines = [
        f"{path}:{line}: {rule.name}: {rule.message} ({rule.source})\n"
        for path in files_of(paths)
        for line, rule in sorted(set(findings(path)), key=lambda finding: (finding[0], finding[1].name))
    ]
    sys.stdout.writelines(lines)
    return 1 if lines else 0


if __name__ == "__main__":
    raise SystemExit(main())

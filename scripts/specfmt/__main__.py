"""Command line: `python -m specfmt [--check] [PATH...]`. Formats specs in place; with --check only says where."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from specfmt.fmt import format_text, problems


def build_parser() -> argparse.ArgumentParser:
    """Flags of the formatter."""
    parser = argparse.ArgumentParser(prog="specfmt", description="Key order and one flag a line in Azure ML specs.")
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", default=[Path("ml")], help="default: ml")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where something would change")
    return parser


def _specs(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        yield from [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in (".yml", ".yaml"))


def main(argv: list[str] | None = None) -> int:
    """Format or check. Returns 0, 1 with findings of --check, 2 for wrong usage."""
    options = build_parser().parse_args(argv)
    for path in options.paths:
        if not path.exists():
            sys.stderr.write(f"error: {path} does not exist: name a file or folder with specs\n")
            return 2
    return max((_file(path, check=options.check) for path in _specs(options.paths)), default=0)


def _file(path: Path, *, check: bool) -> int:
    """Format or check one file; bytes are read and written, so that line ends stay."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        sys.stderr.write(f"error: {path.as_posix()} is not UTF-8 text: save the file as UTF-8\n")
        return 2
    if check:
        wrong = problems(text)
        sys.stdout.writelines(f"{path.as_posix()}:{problem.line}: {problem.message}\n" for problem in wrong)
        return 1 if wrong else 0
    if (formatted := format_text(text)) != text:
        path.write_bytes(formatted.encode("utf-8"))
        sys.stdout.write(f"formatted {path.as_posix()}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

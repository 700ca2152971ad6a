"""The process of a parallel step: `python mini_batches.py OPTIONS script [argument]...`, in the step's environment.

Plain Python without packages: the entry script's own process calls init() once and run(mini_batch) for each list of
files. A mini-batch that fails or takes too long is tried again in a fresh process.
"""

import argparse
import importlib.util
import multiprocessing
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

DEFAULT_FILE = "parallel_run_step.txt"


def files_of(source: Path) -> list[str]:
    """The files of a folder, or those that its MLTable names. Raises ValueError for a table of rows."""
    if source.is_file():
        return [str(source)]
    table = source / "MLTable"
    if not table.is_file():
        return sorted(str(path) for path in source.rglob("*") if path.is_file())
    text = table.read_text(encoding="utf-8")
    if "transformations:" in text:
        raise ValueError(f"{table.name}: transformations are not imitated by the local engine: files only")
    files: set[str] = set()
    for line in text.splitlines():
        kind, _, path = line.strip().removeprefix("- ").partition(":")
        path = path.strip().strip("'\"")
        if kind == "file":
            files.add(str((source / path).resolve()))
        elif kind in ("pattern", "folder"):
            pattern = path.removeprefix("./") if kind == "pattern" else f"{path.removeprefix('./').rstrip('/')}/**/*"
            files |= {str(each) for each in source.glob(pattern.lstrip("/")) if each.is_file() and each != table}
    return sorted(files)


class Worker:
    """One process with the entry script in it; a new one after a failure."""

    def __init__(self, script: str, arguments: list[str]) -> None:
        self.script, self.arguments = script, arguments
        self.process: Any = None
        self.pipe: Any = None

    def run(self, batch: list[str], timeout: int) -> tuple[list[str] | None, str]:
        """Rows of a mini-batch, or None and what went wrong."""
        if self.process is None:
            context = multiprocessing.get_context("spawn")
            self.pipe, other = context.Pipe()
            self.process = context.Process(target=serve, args=(other, self.script, self.arguments), daemon=True)
            self.process.start()
            other.close()
        try:
            self.pipe.send(batch)
            if not self.pipe.poll(timeout):
                return self._lost(f"took more than {timeout} s")
            rows, problem = self.pipe.recv()
        except (EOFError, OSError):
            return self._lost("its process ended")
        return rows, problem

    def _lost(self, problem: str) -> tuple[None, str]:
        self.stop()
        return None, problem

    def stop(self) -> None:
        """End the process: a moment to return from shutdown(), then by force."""
        if self.process is None:
            return
        try:
            self.pipe.send(None)
            self.process.join(10)
        except OSError:
            pass
        self.process.kill()
        self.process.join()
        self.process = None


def serve(pipe: Connection, script: str, arguments: list[str]) -> None:
    """The entry script's process."""
    sys.argv = [script, *arguments]
    sys.path.insert(0, str(Path(script).resolve().parent))
    spec = importlib.util.spec_from_file_location("entry_script", script)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{script} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules["entry_script"] = module
    spec.loader.exec_module(module)
    if hasattr(module, "init"):
        module.init()
    while (batch := pipe.recv()) is not None:
        try:
            pipe.send((rows_of(module.run(batch)), ""))
        except Exception as error:  # whatever the user's code raises is a failed mini-batch
            traceback.print_exc()
            pipe.send((None, f"{type(error).__name__}: {error}"))
    if hasattr(module, "shutdown"):
        module.shutdown()


def rows_of(returned: Any) -> list[str]:
    """What run() returned as lines: a list or tuple by its items, a data frame by its rows with a space between."""
    if hasattr(returned, "to_csv"):
        return str(returned.to_csv(sep=" ", header=False, index=False)).splitlines()
    return [str(item) for item in returned]


def batches(files: list[str], size: int) -> Iterator[list[str]]:
    """Lists of `size` files."""
    for start in range(0, len(files), size):
        yield files[start : start + size]


def tried(worker: Worker, batch: list[str], args: argparse.Namespace) -> list[str] | None:
    """Rows of a mini-batch after as many tries as are allowed."""
    for attempt in range(1, args.retries + 2):
        rows, problem = worker.run(batch, args.timeout)
        if rows is not None:
            return rows
        sys.stdout.write(f"mini-batch of {batch[0]}: try {attempt}: {problem}\n")
        sys.stdout.flush()
    return None


def main() -> int:
    """Exit code 1 where more failed than is allowed."""
    args = _arguments()
    try:
        files = files_of(Path(args.input))
    except ValueError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    done: list[tuple[list[str], list[str] | None]] = []
    todo = iter(list(batches(files, args.size)))

    def work(_: int) -> None:
        worker = Worker(args.script, args.arguments)
        try:
            for batch in todo:
                done.append((batch, tried(worker, batch, args)))
        finally:
            worker.stop()

    with ThreadPoolExecutor(args.processes) as pool:
        list(pool.map(work, range(args.processes)))
    return _judged(done, args)


def _judged(done: list[tuple[list[str], list[str] | None]], args: argparse.Namespace) -> int:
    rows = [row for _, result in sorted(done, key=lambda each: each[0]) for row in result or []]
    failed_batches = sum(result is None for _, result in done)
    failed_items = sum(max(0, len(batch) - len(result or [])) for batch, result in done)
    sys.stdout.write(f"{len(done)} mini-batches, {failed_batches} failed; {failed_items} files without a result\n")
    if args.append:
        target = Path(args.append)
        target = target / DEFAULT_FILE if target.is_dir() else target
        target.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
    for name, count, allowed in (
        ("mini_batch_error_threshold", failed_batches, args.failed_batches),
        ("error_threshold", failed_items, args.failed_items),
    ):
        if 0 <= allowed < count:
            sys.stderr.write(f"error: {name} is {allowed}, {count} failed\n")
            return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--input", required=True)
    parser.add_argument("--append")
    for name in ("size", "processes", "retries", "timeout", "failed-batches", "failed-items"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("script")
    parser.add_argument("arguments", nargs=argparse.REMAINDER)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())

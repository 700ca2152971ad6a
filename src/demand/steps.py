"""How every step begins and ends: its logging, its exit code, and the rows that an earlier step wrote."""

import ctypes
import logging
import sys
from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from demand.errors import StepError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

STEP_ERROR_EXIT = 2
M_MMAP_THRESHOLD = -3
LARGE_BLOCK = 4 * 1024 * 1024


def run(main: Callable[[], int]) -> int:
    """Run a step's `main` with logging set up.

    Returns what `main` returns, or 2 after a StepError, whose single line goes to stderr. Any other exception is a
    fault of the program: it is not caught, so Python prints its traceback and exits with 1.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    # At INFO azure.core logs a dozen lines for each request that it makes.
    logging.getLogger("azure").setLevel(logging.WARNING)
    _give_large_blocks_back()
    try:
        return main()
    except StepError as error:
        sys.stdout.flush()
        sys.stderr.write(f"error: {error}\n")
        return STEP_ERROR_EXIT


def _give_large_blocks_back() -> None:
    """Have glibc return large blocks at once; by default it keeps them, a third more memory with many series.

    Source: mallopt(3), M_MMAP_THRESHOLD. Other C libraries have no such function and need none.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK)


def read_rows(folder: Path, name: str, *more: tuple[Path, str], without: Collection[str] = ()) -> "pd.DataFrame":
    """Rows of `folder`/`name` as an earlier step wrote them, and those of `more` files below; columns but `without`.

    Each column is freed as soon as pandas has it, so that rows are in memory once.

    Raises:
        StepError: no such file.
    """
    import pyarrow as pa  # noqa: PLC0415  serving needs none of it

    tables = [_table(*each, without) for each in ((folder, name), *more)]
    whole = pa.concat_tables([each for each in tables if each.num_rows] or tables[:1], promote_options="permissive")
    del tables
    frame: pd.DataFrame = whole.to_pandas(split_blocks=True, self_destruct=True)
    del whole
    pa.default_memory_pool().release_unused()
    return frame


def _table(folder: Path, name: str, without: Collection[str]) -> "pa.Table":
    import pyarrow.parquet as pq  # noqa: PLC0415

    path = folder / name
    if not path.is_file():
        raise StepError(f"{path}: not there; give the output folder of the step that writes {name}")
    file = pq.ParquetFile(path)
    return file.read(columns=[column for column in file.schema_arrow.names if column not in without])


def as_of_day(text: str) -> date | None:
    """The day of an import as its flag has it, YYYY-MM-DD with or without a Z; None for none.

    A schedule gives the moment that started the job (`${{creation_context.trigger_time}}`). In which form Azure ML
    writes it is not documented: ISO 8601 and the invariant one of .NET are both read.
    """
    if text == "none":
        return None
    for read in (_day, datetime.fromisoformat, _dotnet):
        try:
            moment = read(text)
        except ValueError:
            continue
        return (moment.astimezone(UTC) if moment.tzinfo else moment).date()
    raise StepError(f"--as-of {text}: is not a day such as 2026-11-24, nor none")


def _day(text: str) -> datetime:
    return datetime.combine(date.fromisoformat(text.removesuffix("Z")), time())


def _dotnet(text: str) -> datetime:
    return datetime.strptime(text[:19], "%m/%d/%Y %H:%M:%S")

"""How every step begins and ends: its logging, its exit code, and the rows that an earlier step wrote."""

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from demand.errors import StepError

if TYPE_CHECKING:
    import pandas as pd

STEP_ERROR_EXIT = 2


def run(main: Callable[[], int]) -> int:
    """Run a step's `main` with logging set up.

    Returns what `main` returns, or 2 after a StepError, whose single line goes to stderr. Any other exception is a
    fault of the program: it is not caught, so Python prints its traceback and exits with 1.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    # At INFO azure.core logs a dozen lines for each request that it makes.
    logging.getLogger("azure").setLevel(logging.WARNING)
    try:
        return main()
    except StepError as error:
        sys.stdout.flush()
        sys.stderr.write(f"error: {error}\n")
        return STEP_ERROR_EXIT


def read_rows(folder: Path, name: str) -> "pd.DataFrame":
    """Rows of `folder`/`name` as an earlier step wrote them.

    Raises:
        StepError: no such file.
    """
    import pandas as pd  # noqa: PLC0415  serving needs no pandas

    path = folder / name
    if not path.is_file():
        raise StepError(f"{path}: not there; give the output folder of the step that writes {name}")
    return pd.read_parquet(path)

"""The contract check of an import: the aggregate step's own check, over the Parquet files that are to be published."""

import logging
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from demand.check import check_rows
from demand.contract import Contract
from demand.errors import UserError
from demand.job_paths import job, on_azure, shown_output

log = logging.getLogger("demand.import")
MEMORY_LIMIT = "256MB"


def check_imported(files: Sequence[Path], contract: Contract, source: str, staging: Path) -> None:
    """Accept `files`, or say which rule their rows break; the bad rows are then listed in a CSV file in `staging`.

    Bad rows up to the contract's fraction stay in; the aggregate step quarantines each with its reason.

    Raises:
        UserError: more bad rows than the contract allows; names the commonest rule, how many, and where one stands.
    """
    # Jobs share the staging folder on Azure ML, so each has a file of its own.
    quarantine = staging / (f"quarantine-{job()}.csv" if on_azure() else "quarantine.csv")
    with tempfile.TemporaryDirectory() as spill, duckdb.connect(config={"memory_limit": MEMORY_LIMIT}) as connection:
        connection.execute("set temp_directory = ?", [spill])
        local = Path(spill) / "quarantine.csv"  # DuckDB renames what it has written, which a mount may not do
        try:
            today = contract.as_of(datetime.now(UTC).date())
            checked = check_rows(connection, files, today, source, local, Path(spill))
        except UserError as error:
            if not local.is_file():
                raise
            shutil.copyfile(local, quarantine)
            rows = shown_output("staging", quarantine)
            raise UserError(f"{error}; nothing was imported, all bad rows: {rows}") from error
    quarantine.unlink(missing_ok=True)
    if checked.quarantined:
        log.warning("These %d rows stay in; the aggregate step puts them into its quarantine", checked.quarantined)

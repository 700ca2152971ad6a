"""The contract check of an import: the aggregate step's own check, over the Parquet files that are to be published."""

import logging
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from demand.check import check_rows
from demand.contract import Contract
from demand.errors import UserError

log = logging.getLogger("demand.import")
MEMORY_LIMIT = "256MB"
QUARANTINE = "quarantine.csv"


def check_imported(files: Sequence[Path], contract: Contract, source: str, folder: Path) -> None:
    """Accept `files`, or say which rule their rows break; the bad rows are then listed in `folder`/quarantine.csv.

    Bad rows up to the contract's fraction stay in; the aggregate step quarantines each with its reason.

    Raises:
        UserError: more bad rows than the contract allows; names the commonest rule, how many, and where one stands.
    """
    quarantine = folder / QUARANTINE
    with tempfile.TemporaryDirectory() as spill, duckdb.connect(config={"memory_limit": MEMORY_LIMIT}) as connection:
        connection.execute("set temp_directory = ?", [spill])
        try:
            today = contract.as_of(datetime.now(UTC).date())
            checked = check_rows(connection, files, today, source, quarantine, Path(spill))
        except UserError as error:
            raise UserError(f"{error}; nothing was imported, all bad rows: {quarantine}") from error
    quarantine.unlink(missing_ok=True)
    if checked.quarantined:
        log.warning("These %d rows stay in; the aggregate step puts them into its quarantine", checked.quarantined)

"""Step publish: put the forecasts into the warehouse's table FORECASTS, once per model version and origin month."""

import argparse
import dataclasses
import logging
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from demand import health
from demand.errors import StepError
from demand.steps import read_rows, run
from sales.contract_sql import literal
from sales.snowflake import WarehouseLostError, connect, execute
from sales.snowflake_sign_in import WAYS, WORKLOAD_IDENTITY, sign_in_of
from sales.specs import load_connection

log = logging.getLogger(__name__)
PLACE = "ml/data/forecasts.sql"
# Column -> SQL of its value in the staged Parquet file; names and order are those of the table.
COLUMNS = {
    **{name: f"$1:{name}::varchar" for name in ("StoreID", "Category", "Product")},
    "Month": "$1:Month::date",
    **{name: f"$1:{name}::double" for name in ("TotalSales", "P10", "P90")},
    **{name: f"$1:{name}::varchar" for name in ("Flags", "ModelName", "ModelVersion")},
    "OriginMonth": "$1:OriginMonth::date",
}


def build_parser() -> argparse.ArgumentParser:
    """Flags of the component publish_forecasts."""
    parser = argparse.ArgumentParser(prog="sales.publish", description=__doc__)
    parser.add_argument("--forecasts", type=Path, required=True, help="output folder of the forecast step")
    parser.add_argument("--connection", type=Path, required=True, help="Snowflake connection spec")
    parser.add_argument("--table-sql", type=Path, required=True, help="statement that creates the table")
    parser.add_argument("--role", default="DEMAND_WRITER", help="role that may write the table")
    parser.add_argument("--sign-in", choices=WAYS, default=WORKLOAD_IDENTITY, help="how to sign in to the warehouse")
    parser.add_argument("--vault-url", help="Key Vault with the private key, for --sign-in key_pair")
    parser.add_argument("--key-name", default="snowflake-private-key", help="secret that holds the PEM private key")
    parser.add_argument("--if-worse", choices=("refuse", "publish"), default="refuse", help="where last year is better")
    parser.add_argument("--published", type=Path, required=True, help="output folder: what was written")
    return parser


def for_warehouse(table: pd.DataFrame) -> pd.DataFrame:
    """Forecasts in the columns of the table FORECASTS."""
    months = {"Month": table["MonthYear"] + "-01", "OriginMonth": table["Origin"] + "-01"}
    return table.assign(**months).reindex(columns=list(COLUMNS))


def publish(session: Any, table: pd.DataFrame, table_sql: str) -> int:
    """Write `table` in the place of what the same model version forecast from the same origin; rows written."""
    (key,) = table[["ModelName", "ModelVersion", "OriginMonth"]].drop_duplicates().to_dict("records")
    same = " and ".join(f"{name} = {literal(str(value))}" for name, value in key.items())
    _create(session, table_sql)
    with _staged(session, table) as file:
        execute(session, "begin", PLACE)
        try:
            execute(session, f"delete from FORECASTS where {same}", PLACE)
            _load(session, file)
            if (count := _count(session, same)) != len(table):
                raise StepError(f"FORECASTS would hold {count} of {len(table)} rows: nothing was written, run it again")
            execute(session, "commit", PLACE)
        except BaseException as error:
            _tidy_up(session, "rollback", error)
            raise
    # Of two at once neither sees the other's rows before both have ended; the later one always does, here.
    if (count := _count(session, same)) != len(table):
        raise StepError(f"FORECASTS holds {count} rows, not {len(table)}: two published at once, run one of them again")
    return count


@contextmanager
def _staged(session: Any, table: pd.DataFrame) -> Iterator[str]:
    """`table` as a file of a stage that lives as long as the session: Snowflake drops it though this process dies.

    A table's own stage takes no query in COPY and needs OWNERSHIP of the table for PUT
    (https://docs.snowflake.com/en/user-guide/data-load-local-file-system-create-stage); a temporary stage needs CREATE
    STAGE on the schema, and its files are removed with it (https://docs.snowflake.com/en/sql-reference/sql/create-stage).
    The connector's own write_pandas does the same.
    """
    stage = f"FORECASTS_{uuid.uuid4().hex.upper()}"
    execute(session, f"create temporary stage {stage}", PLACE)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "forecasts.parquet"
            try:
                table.to_parquet(path, index=False)
            except OSError as error:
                raise StepError(f"cannot write {path}: {error.strerror}; free space and run it again") from error
            address = path.as_posix().replace("'", "\\'")
            execute(session, f"put 'file://{address}' @{stage} auto_compress = false", PLACE)
        yield f"@{stage}/{path.name}"
    except BaseException as error:
        _tidy_up(session, f"drop stage if exists {stage}", error)
        raise
    _tidy_up(session, f"drop stage if exists {stage}")


def _load(session: Any, file: str) -> None:
    """Copy the staged `file` into the table, each column cast to the table's type."""
    execute(
        session,
        f"copy into FORECASTS ({', '.join(COLUMNS)}) from (select {', '.join(COLUMNS.values())} from {file}) "
        "file_format = (type = parquet)",
        PLACE,
    )


def _count(session: Any, same: str) -> int:
    """Rows of this model version and origin month."""
    return int(execute(session, f"select count(*) from FORECASTS where {same}", PLACE).fetchall()[0][0])


def _tidy_up(session: Any, sql: str, after: BaseException | None = None) -> None:
    """Run `sql` unless the session is lost, when the warehouse does it; a failure must not hide the error `after`."""
    if isinstance(after, WarehouseLostError):
        return
    try:
        execute(session, sql, PLACE)
    except StepError as error:
        log.warning("%s", error)


def _create(session: Any, table_sql: str) -> None:
    """Make the table where it is missing; a role that may only write would be refused even an idle create."""
    sql = (
        "select count(*) from information_schema.tables "
        "where table_schema = current_schema() and table_name = 'FORECASTS'"
    )
    if not execute(session, sql, PLACE).fetchall()[0][0]:
        execute(session, table_sql, PLACE)


def _check_health(folder: Path, force: bool) -> None:
    """Raises StepError for forecasts of a model that the same month of last year beats, unless forced."""
    comparison = health.read(folder)
    warning = health.sentence(str(comparison.get("name")), str(comparison.get("version")), comparison)
    if warning and not force:
        raise StepError(f"{warning}: nothing is published; train a better model, or publish all the same with FORCE=1")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the step."""
    args = build_parser().parse_args(argv)
    _check_health(args.forecasts, args.if_worse == "publish")
    table = for_warehouse(read_rows(args.forecasts, "forecasts.parquet"))
    sign_in = sign_in_of(args.sign_in, args.vault_url, args.key_name)
    connection = dataclasses.replace(load_connection(args.connection), role=args.role)
    with connect(connection, sign_in) as session:
        count = publish(session, table, args.table_sql.read_text(encoding="utf-8"))
    args.published.mkdir(parents=True, exist_ok=True)
    (args.published / "rows.txt").write_text(f"{count}\n", encoding="utf-8")
    log.info("FORECASTS holds %d rows of model version %s", count, table["ModelVersion"].iloc[0])
    return 0


if __name__ == "__main__":
    raise SystemExit(run(main))

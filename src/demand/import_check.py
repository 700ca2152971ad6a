"""The contract check of an import: over the imported Parquet, with the same SQL as the aggregate step."""

import logging
from pathlib import Path

import duckdb

from demand.contract import Contract, literal, match_columns, reason_sql
from demand.errors import UserError

log = logging.getLogger("demand.import")
MEMORY_LIMIT = "256MB"


def check_imported(folder: Path, contract: Contract, source: str) -> None:
    """Accept the Parquet files of `folder`, or say which rule their rows break.

    Bad rows up to the contract's fraction stay in; the aggregate step quarantines each with its reason.

    Raises:
        UserError: more bad rows than the contract allows; names the commonest rule, how many, and where one stands.
    """
    files = literal(f"{folder}/*.parquet")
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT, "threads": 2}) as connection:
        described = connection.execute(f"describe select * from read_parquet({files})").fetchall()
        types = {str(row[0]): str(row[1]) for row in described}
        reason = reason_sql(contract, match_columns(contract, list(types), source), types)
        rules = connection.execute(
            f"""select split_part(reason, ':', 1) as rule, count(*) as n,
                any_value(reason), any_value(parse_filename(filename, true)), any_value(SaleID::varchar)
            from (select {reason} as reason, filename, SaleID from read_parquet({files}, filename = true))
            where reason is not null group by rule order by n desc, rule"""
        ).fetchall()
        found = connection.execute(f"select count(*) from read_parquet({files})").fetchone()
    total, bad = int(found[0] if found else 0), sum(row[1] for row in rules)
    if not bad:
        return
    _, count, example, month, sale = rules[0]
    told = f"{bad} of {total} rows break the contract, the most ({count}) as in {month}, SaleID {sale}: {example}"
    if bad > contract.max_bad_fraction * total:
        raise UserError(f"{source}: {told}; at most {contract.max_bad_fraction:.2%} may, so nothing was imported")
    log.warning("%s; they stay in and the aggregate step puts them into quarantine", told)

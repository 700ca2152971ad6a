"""What deployments were asked and answered: rows of the scoring script, as Parquet, while they are kept.

The servers write JSON lines by the hour (`demand.collecting`); an hour that is over becomes one Parquet file, and what
is older than ml/deploy/collected.yml says goes.
"""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from amlspec.document import read_document
from amlspec.errors import UserError
from amlspec.serving import Deployment
from host.state import home

POLICY = Path("ml/deploy/collected.yml")
_HOUR = "%Y/%m/%d/%H"
# A server may still write what it took in the hour's last second.
GRACE = timedelta(minutes=1)
WHOLE = "rows.parquet"


def variables(spec: Deployment) -> dict[str, str]:
    """By which the servers of a deployment know where their rows go; {} where its data_collector is off."""
    given = spec.data_collector or {}
    wanted = [name for name, block in (given.get("collections") or {}).items() if _is_on(block)]
    if not wanted:
        return {}
    rate = str(given.get("sampling_rate", 1.0))
    return {"DEMAND_COLLECT": str(folder(spec.endpoint_name, spec.name)), "DEMAND_COLLECT_RATE": rate,
            "DEMAND_COLLECT_OF": " ".join(wanted)}  # fmt: skip


def _is_on(block: Any) -> bool:
    return isinstance(block, dict) and str(block.get("enabled", "")).lower() == "true"


def folder(endpoint: str, deployment: str) -> Path:
    """Where the rows of a deployment are; they outlive it."""
    return home() / "collected" / endpoint / deployment


def tidy(now: datetime | None = None) -> None:
    """Make Parquet of the hours that are over, and remove those that are kept no longer."""
    now = now or datetime.now(UTC)
    oldest = now - timedelta(days=retention_days())
    for hour, at in _hours():
        if at < oldest.replace(minute=0, second=0, microsecond=0):
            shutil.rmtree(hour)
        elif at + timedelta(hours=1) + GRACE <= now:
            _to_parquet(hour)


def rows(endpoint: str, collection: str) -> str | None:
    """SQL of all rows of a collection, of every deployment (`Deployment`); None where there are none."""
    parts = []
    base = home() / "collected" / endpoint
    whole = sorted(base.glob(f"*/{collection}/*/*/*/*/{WHOLE}"))
    done = {path.parent for path in whole}
    lines = [path for path in sorted(base.glob(f"*/{collection}/*/*/*/*/*.jsonl")) if path.parent not in done]
    for files, reader in ((whole, "read_parquet"), (lines, "read_json")):
        if files:
            listed = ", ".join(f"'{str(path).replace(chr(39), chr(39) * 2)}'" for path in files)
            parts.append(f"select * from {reader}([{listed}], union_by_name = true, filename = true)")
    if not parts:
        return None
    deployment = f"split_part(replace(filename, '{base}/', ''), '/', 1) as Deployment"
    return f"select * exclude (filename), {deployment} from ({' union all by name '.join(parts)})"


def retention_days(policy: Path = POLICY) -> int:
    """As the policy has it. Raises UserError for one that says nothing of use."""
    if not policy.is_file():
        return 90
    document = read_document(policy)
    for keys, message in problems(document.data):
        raise UserError(f"{document.where(*keys)}: {message}")
    return int(document.data["retention_days"])


def problems(content: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """(keys of what is wrong, what is wrong with it) of the parsed YAML."""
    for name in content:
        if name != "retention_days":
            yield (str(name),), f"collected rows have retention_days and no {name}"
    days = content.get("retention_days")
    if not isinstance(days, int) or isinstance(days, bool) or days < 1:
        yield ("retention_days",), f"retention_days is {days!r}, it must be a whole number of days, 1 or more"


def _hours() -> Iterator[tuple[Path, datetime]]:
    """Folders of one hour of one collection, and when it began."""
    for path in sorted((home() / "collected").glob("*/*/*/*/*/*/*")):
        try:
            yield path, datetime.strptime("/".join(path.parts[-4:]), _HOUR).replace(tzinfo=UTC)
        except ValueError:
            continue


def _to_parquet(hour: Path) -> None:
    """One file in the place of the lines. Where it is there, what lines are left belong to a call that was killed."""
    lines, whole = sorted(hour.glob("*.jsonl")), hour / WHOLE
    if lines and not whole.exists():
        _convert(lines, whole)
    for path in lines:
        path.unlink()


def _convert(lines: list[Path], whole: Path) -> None:
    listed = ", ".join(f"'{str(path).replace(chr(39), chr(39) * 2)}'" for path in lines)
    half = whole.with_suffix(".half")
    with duckdb.connect() as session:
        session.execute(f"copy (from read_json([{listed}], union_by_name = true)) to '{half}' (format parquet)")
    half.replace(whole)

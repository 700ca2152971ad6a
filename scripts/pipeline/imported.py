"""The sales that a run takes, and the day on which they were imported: what comes after it is the future."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from pipeline import azml

UNKNOWN = "none"


def newest() -> dict[str, Any] | None:
    """The newest version of the data asset sales; None where the workspace has none."""
    # A list has no promised order; the label is the newest version's on either engine.
    return azml.optional("data", "show", name="sales", label="latest")


def day(sales: Mapping[str, Any] | None) -> str:
    """The day of a version's creation as YYYY-MM-DDZ. It stays with the version: a rerun asks the same question.

    The Z says UTC, and keeps a YAML reader, as `--set` may be, from making it a date, which no input's type is. It is
    none (the step then takes its own day) where the service leaves it out.
    """
    created = ((sales or {}).get("creation_context") or {}).get("created_at")
    try:
        moment = dt.datetime.fromisoformat(str(created).replace("Z", "+00:00"))
    except ValueError:
        return UNKNOWN
    return (moment.astimezone(dt.UTC) if moment.tzinfo else moment).date().isoformat() + "Z"

"""Signals of the endpoint itself: errors, latency and flags of the last day, as the local engine kept them.

On Azure the scoring server's own requests are in Application Insights, and the alerts endpoint-errors and
endpoint-latency of Terraform (infra/main.alerts.tf) watch them there every five minutes.
"""

import time
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from localml import collected
from monitoring.limits import Limits
from monitoring.signals import LOOK, Signal
from pipeline import azml, models

LIMITS = Path("ml/monitor.yml")
WINDOW_SECONDS = 24 * 3600
# Fewer requests tell nothing.
MIN_REQUESTS = 10


def signals(grain: str) -> list[Signal]:
    """Of this machine's endpoint; none where it had too few requests, and on Azure."""
    endpoint = models.endpoint_for(grain)
    since = time.time() - WINDOW_SECONDS
    minutes = [each for each in azml.minutes(endpoint) if each.minute >= since]
    requests = sum(each.requests for each in minutes)
    if requests < MIN_REQUESTS:
        return []
    limits, month = Limits.read(LIMITS), [f"{datetime.now(UTC):%Y-%m}"]
    flagged = _flagged(endpoint, datetime.fromtimestamp(since, UTC))
    errors = sum(each.errors for each in minutes) / requests
    # The 95th percentile of a typical request's minute: a percentile of the whole day is not kept.
    slow = sum(each.p95_ms * each.requests for each in minutes) / requests
    return [
        Signal("endpoint_errors", "all", limits.max_endpoint_errors, LOOK, month, [errors]),
        Signal("endpoint_p95_ms", "all", limits.max_endpoint_p95_ms, LOOK, month, [slow]),
        Signal("endpoint_flagged", "all", limits.max_endpoint_flagged, LOOK, month, [flagged]),
    ]


def _flagged(endpoint: str, since: datetime) -> float | None:
    """Fraction of the collected forecasts with a flag, such as unknown_store; None where too few were kept."""
    query = collected.rows(endpoint, "model_outputs")
    if query is None:
        return None
    wanted = f"select avg((flags <> '')::int), count(*) from ({query}) where RequestTime::timestamptz >= $since"
    with duckdb.connect() as session:
        share, rows = session.execute(wanted, {"since": since}).fetchall()[0]
    return float(share) if rows >= MIN_REQUESTS else None

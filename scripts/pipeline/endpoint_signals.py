"""Signals of the endpoint itself: errors and latency of the last day, as the local router counted them.

On Azure the scoring server's own requests are in Application Insights, and the alerts endpoint-errors and
endpoint-latency of Terraform (infra/main.alerts.tf) watch them there every five minutes.
"""

import time
from datetime import UTC, datetime
from pathlib import Path

from localml import verbs_endpoints
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
    if not azml.is_local() or not verbs_endpoints.exists(endpoint):
        return []
    since = time.time() - WINDOW_SECONDS
    minutes = [each for each in verbs_endpoints.minutes(endpoint) if each.minute >= since]
    requests = sum(each.requests for each in minutes)
    if requests < MIN_REQUESTS:
        return []
    limits, month = Limits.read(LIMITS), [f"{datetime.now(UTC):%Y-%m}"]
    errors = sum(each.errors for each in minutes) / requests
    # The 95th percentile of a typical request's minute: a percentile of the whole day is not kept.
    slow = sum(each.p95_ms * each.requests for each in minutes) / requests
    return [
        Signal("endpoint_errors", "all", limits.max_endpoint_errors, LOOK, month, [errors]),
        Signal("endpoint_p95_ms", "all", limits.max_endpoint_p95_ms, LOOK, month, [slow]),
    ]

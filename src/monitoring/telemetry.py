"""Signals as metrics of Application Insights, where an alert of Azure Monitor watches for a breached one.

By the ingestion endpoint of the resource's connection string (`POST /v2.1/track`), in the envelope that Microsoft's own
exporters send (azure-monitor-opentelemetry-exporter: TelemetryItem with MetricsData); they want an SDK with a pipeline
of its own for what is one request here. The connection string names a resource and lets nobody read.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from demand.errors import StepError
from forecasting.packing import NONE
from monitoring.signals import Signal

TIMEOUT_SECONDS = 20.0
ROLE = "demand-forecast-monitor"


def send(connection: str, signals: Sequence[Signal], model: Mapping[str, str]) -> int:
    """Send every signal that has a value; how many were taken.

    Args:
        connection: connection string of the resource, or none.
        signals: of one monitor.
        model: name and version of what is watched.

    Raises:
        StepError: no such resource, or it takes them not.
    """
    if connection == NONE:
        return 0
    parts = dict(part.split("=", 1) for part in connection.split(";") if "=" in part)
    if not {"InstrumentationKey", "IngestionEndpoint"} <= parts.keys():
        raise StepError("--insights: is not a connection string with InstrumentationKey and IngestionEndpoint")
    body = json.dumps(list(_envelopes(parts["InstrumentationKey"], signals, model))).encode()
    address = f"{parts['IngestionEndpoint'].rstrip('/')}/v2.1/track"
    if not address.startswith(("https://", "http://127.0.0.1:")):
        raise StepError("--insights: the ingestion endpoint must be https")
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            taken: dict[str, Any] = json.loads(answer.read())
    except (urllib.error.URLError, TimeoutError, ValueError) as error:
        raise StepError(f"Application Insights took no metric: {error}") from error
    return int(taken.get("itemsAccepted", 0))


def _envelopes(key: str, signals: Sequence[Signal], model: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    now = datetime.now(UTC).isoformat()
    for each in signals:
        if each.value is None:
            continue
        metric = {"name": f"signal_{each.name}", "value": each.value, "count": 1}
        properties = {
            "scope": each.scope,
            "limit": str(each.limit),
            "state": each.state,
            "since": each.since or "",
            "model": f"{model['name']}:{model['version']}",
        }
        yield {
            "name": "Microsoft.ApplicationInsights.Metric",
            "time": now,
            "iKey": key,
            "tags": {"ai.cloud.role": ROLE},
            "data": {"baseType": "MetricData", "baseData": {"ver": 2, "metrics": [metric], "properties": properties}},
        }

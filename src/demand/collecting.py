"""What the endpoint was asked and what it answered, for Azure ML's data collector."""

import logging
import os
from collections.abc import Sequence
from typing import Any

from demand.forecaster import Row
from demand.months import month_name

log = logging.getLogger("azmlinfsrv.collecting")


class Collectors:
    """Hands both sides of an answer to azureml-ai-monitoring, under one correlation id; nothing where it is off.

    A collector that fails must not fail a forecast: its errors go to the log.
    """

    def __init__(self) -> None:
        # Azure ML sets one of these where a deployment's data_collector is on; importing pandas takes a second.
        enabled = "AZUREML_MDC_CONFIG_PATH" in os.environ or os.environ.get("AZUREML_MDC_ENABLED", "") == "true"
        self._inputs = self._outputs = None
        if enabled:
            import pandas as pd  # noqa: PLC0415
            from azureml.ai.monitoring import Collector  # noqa: PLC0415

            self._frame = pd.DataFrame
            self._inputs = Collector(name="model_inputs", on_error=_log)
            self._outputs = Collector(name="model_outputs", on_error=_log)

    def collect(self, rows: Sequence[Row], answers: Sequence[dict[str, Any]]) -> None:
        """Keep what was asked (`rows` as checked) and what was answered (`answers`)."""
        if self._inputs is None or self._outputs is None:
            return
        asked = [{"MonthYear": month_name(row["Month"]), **row} for row in rows]
        context = self._inputs.collect(self._frame(asked).drop(columns="Month"))
        flat = [{**one, "flags": ",".join(one["flags"])} for one in answers]
        names = ["StoreID", "MonthYear", "TotalSales", "P10", "P90", "flags"]
        self._outputs.collect(self._frame(flat, columns=names), context)


def _log(error: Exception) -> None:
    log.warning("data collector: %s", error)

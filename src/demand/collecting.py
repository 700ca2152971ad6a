"""What the endpoint was asked and what it answered, kept for whoever watches the model.

A request leaves its rows in a bounded queue and goes on: a thread takes them out once a second, makes one table of them
and hands it on, to Azure ML's data collector (azureml-ai-monitoring) on Azure, to files on a laptop. Whatever goes
wrong there is a line of the log and never an answer's matter; where more comes than can be kept, the oldest is lost.
Each row has the `RequestID` of its request, so that inputs and outputs join. A column that the contract calls personal
is never kept.
"""

import atexit
import itertools
import logging
import random
import threading
import uuid
from collections import deque
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import orjson

from demand.forecaster import Row
from demand.months import month_name

log = logging.getLogger("azmlinfsrv.collecting")
Table = list[dict[str, Any]]
INPUTS, OUTPUTS = "model_inputs", "model_outputs"
ANSWER = ("StoreID", "Category", "Product", "MonthYear", "TotalSales", "P10", "P90")
# Requests that wait, and seconds between two looks at them.
CAPACITY, EVERY = 10_000, 1.0


class Sink(Protocol):
    """Where tables go."""

    def write(self, asked: Table, answered: Table) -> None:
        """Keep the rows of some requests and of their answers."""


class AzureSink:
    """The data collector of Azure ML, one table for both sides under one correlation id."""

    def __init__(self) -> None:
        import pandas as pd  # noqa: PLC0415  takes a second
        from azureml.ai.monitoring import Collector  # noqa: PLC0415

        self._frame = pd.DataFrame
        self._inputs = Collector(name=INPUTS, on_error=_log)
        self._outputs = Collector(name=OUTPUTS, on_error=_log)

    def write(self, asked: Table, answered: Table) -> None:
        """As `Sink` has it."""
        context = self._inputs.collect(self._frame(asked))
        self._outputs.collect(self._frame(answered), context)


class FileSink:
    """JSON lines below a folder, in the layout of Azure ML: <collection>/<year>/<month>/<day>/<hour>/."""

    def __init__(self, folder: Path, rate: float = 1.0, collections: Collection[str] = (INPUTS, OUTPUTS)) -> None:
        self.folder, self.rate, self.collections = folder, rate, collections
        self._name = f"{uuid.uuid4().hex}.jsonl"

    def write(self, asked: Table, answered: Table) -> None:
        """As `Sink` has it; of the requests a fraction, as the data collector's sampling_rate."""
        chosen = {name for name in {row["RequestID"] for row in asked} if random.random() < self.rate}
        hour = f"{datetime.now(UTC):%Y/%m/%d/%H}"
        for collection, rows in ((INPUTS, asked), (OUTPUTS, answered)):
            kept = [orjson.dumps(row, default=str) for row in rows if row["RequestID"] in chosen]
            if kept and collection in self.collections:
                place = self.folder / collection / hour
                place.mkdir(parents=True, exist_ok=True)
                with (place / self._name).open("ab") as stream:
                    stream.write(b"\n".join(kept) + b"\n")


def sink_of(variables: Mapping[str, str]) -> Sink | None:
    """Where a deployment's rows go by its environment; None where nothing is collected.

    Azure ML sets one of two variables where a deployment's data_collector is on. The local engine sets DEMAND_COLLECT
    to a folder, DEMAND_COLLECT_RATE and DEMAND_COLLECT_OF.
    """
    if "AZUREML_MDC_CONFIG_PATH" in variables or variables.get("AZUREML_MDC_ENABLED", "") == "true":
        return AzureSink()
    if folder := variables.get("DEMAND_COLLECT"):
        wanted = variables.get("DEMAND_COLLECT_OF", f"{INPUTS} {OUTPUTS}").split()
        return FileSink(Path(folder), float(variables.get("DEMAND_COLLECT_RATE", "1")), wanted)
    return None


class Collectors:
    """Takes what was asked and answered; `flush` hands it on, which a thread of its own does every second."""

    def __init__(self, sink: Sink | None, personal: Collection[str] = ()) -> None:
        self._sink, self._personal = sink, frozenset(personal)
        self._waiting: deque[tuple[str, str, Sequence[Row], Sequence[dict[str, Any]]]] = deque(maxlen=CAPACITY)
        self._process, self._number = uuid.uuid4().hex[:12], itertools.count(1)
        self._turn = threading.Lock()

    def start(self) -> "Collectors":
        """Begin to hand on; nothing where nothing is collected."""
        if self._sink is not None:
            atexit.register(self.flush)
            threading.Thread(target=self._run, name="collecting", daemon=True).start()
        return self

    def collect(self, rows: Sequence[Row], answers: Sequence[dict[str, Any]]) -> None:
        """Keep what was asked (`rows` as checked) and what was answered (`answers`)."""
        if self._sink is not None:
            at = datetime.now(UTC).isoformat(timespec="milliseconds")
            self._waiting.append((f"{self._process}-{next(self._number)}", at, rows, answers))

    def flush(self) -> None:
        """Hand on what waits; the thread's turn and that of the process's end do not meet."""
        with self._turn:
            try:
                self._hand_on()
            except Exception as error:  # whatever a collector does, the forecasts and the next turn go on
                _log(error)

    def _hand_on(self) -> None:
        asked: Table = []
        answered: Table = []
        while self._waiting:
            name, at, rows, answers = self._waiting.popleft()
            known = {"RequestID": name, "RequestTime": at}
            asked += [known | self._input(row) for row in rows]
            answered += [known | self._output(answer) for answer in answers]
        if asked and self._sink is not None:
            self._sink.write(asked, answered)

    def _input(self, row: Row) -> dict[str, Any]:
        given = {name: value for name, value in row.items() if name != "Month" and name not in self._personal}
        return {"MonthYear": month_name(row["Month"]), **given}

    def _output(self, answer: dict[str, Any]) -> dict[str, Any]:
        known = {name: answer[name] for name in ANSWER if name in answer and name not in self._personal}
        return {**known, "flags": ",".join(answer["flags"])}

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(EVERY):
            self.flush()


def _log(error: Exception) -> None:
    log.warning("data collector: %s", error)

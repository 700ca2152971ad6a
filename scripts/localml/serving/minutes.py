"""What an endpoint's requests were like, a line a minute and deployment: number, errors, time."""

import json
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "minutes.jsonl"
# Of the durations of a minute so many are kept to tell the percentile by.
KEPT = 2_000
MAX_BYTES = 8 << 20
P95 = 0.95


@dataclass(frozen=True)
class Minute:
    """One minute of one deployment; `minute` is in seconds since 1970, `p95_ms` the answers' 95th percentile."""

    minute: int
    deployment: str
    requests: int
    errors: int
    p95_ms: float


class Minutes:
    """Counts, and writes a minute when another one has begun or the router ends."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE
        self._now = 0
        self._seconds: dict[str, list[float]] = defaultdict(list)
        self._counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])

    def add(self, deployment: str, seconds: float, failed: bool) -> None:
        """One answer."""
        minute = int(time.time()) // 60 * 60
        if minute != self._now:
            self.write()
            self._now = minute
        counts, known = self._counts[deployment], self._seconds[deployment]
        counts[0] += 1
        counts[1] += failed
        if len(known) < KEPT:
            known.append(seconds)

    def write(self) -> None:
        """Keep the minute so far."""
        lines = []
        for name, (requests, errors) in self._counts.items():
            ordered = sorted(self._seconds[name])
            p95 = round(1000 * ordered[int(P95 * (len(ordered) - 1))], 1)
            lines.append(json.dumps(asdict(Minute(self._now, name, requests, errors, p95))) + "\n")
        self._counts.clear()
        self._seconds.clear()
        if lines:
            self._trim()
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write("".join(lines))

    def _trim(self) -> None:
        """The older half goes where the file has become long."""
        if self._file.is_file() and self._file.stat().st_size > MAX_BYTES:
            text = self._file.read_text(encoding="utf-8")
            half = self._file.with_suffix(".half")
            half.write_text(text[text.index("\n", len(text) // 2) + 1 :], encoding="utf-8")
            half.replace(self._file)


def read(folder: Path) -> Iterator[Minute]:
    """The minutes that were written, the oldest first; a line that a crash has cut is passed over."""
    path = folder / FILE
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            yield Minute(**json.loads(line))
        except (ValueError, TypeError):
            continue

"""Warnings in the logs of a job's steps: repeated at its end, since nobody reads the log of a step that went well."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# `2026-11-24 10:00:00,123 WARNING text`, as steps that use logging write it; also `WARNING: text`.
_LINE = re.compile(r"^(?:\d{4}[-/]\d\d[-/]\d\d[ T]\S+\s+)?WARNING[:\s]\s*(?P<text>\S.*)")
MAX_SHOWN = 20


def lines(record: dict[str, Any]) -> list[str]:
    """What is shown at the end of a job; nothing where no step warned. A reused step's warnings still hold."""
    warnings = [f"  {step}: {text}" for step in record["jobs"] for text in dict.fromkeys(_of_step(record, step))]
    if not warnings:
        return []
    rest = [f"  and {len(warnings) - MAX_SHOWN} more, in the steps' logs"] if len(warnings) > MAX_SHOWN else []
    return [f"{len(warnings)} warning{'' if len(warnings) == 1 else 's'}:", *warnings[:MAX_SHOWN], *rest]


def _of_step(record: dict[str, Any], name: str) -> Iterator[str]:
    log = Path(record["jobs"][name]["log"])
    if not log.is_file():
        return
    with log.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            if match := _LINE.match(line):
                yield match["text"].strip()

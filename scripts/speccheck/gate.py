"""ml/gate.yml: only thresholds that the gate knows, each in its range."""

from collections.abc import Iterator

from amlspec.finding import Finding
from forecasting.thresholds import problems
from speccheck.repo import Repo, Spec

FILE = "gate.yml"


def check_gate(_repo: Repo, spec: Spec) -> Iterator[Finding]:
    """What the step evaluate would end with, before anything is submitted."""
    if spec.doc.path.name == FILE:
        for name, message in problems(spec.data):
            yield spec.doc.find(message, *([name] if name else []))

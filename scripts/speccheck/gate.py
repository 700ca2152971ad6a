"""ml/gate.yml and ml/monitor.yml: only thresholds that are known, each in its range."""

from collections.abc import Iterator, Mapping

from amlspec.finding import Finding
from forecasting.thresholds import Gate, Thresholds
from monitoring.limits import Limits
from speccheck.repo import Repo, Spec

FILES: Mapping[str, type[Thresholds]] = {"gate.yml": Gate, "monitor.yml": Limits}


def check_gate(_repo: Repo, spec: Spec) -> Iterator[Finding]:
    """What the steps evaluate and monitor would end with, before anything is submitted."""
    path = spec.doc.path
    kind = FILES.get(path.name) if path.parent.name == "ml" else None
    if kind is not None:
        for name, message in kind.problems(spec.data):
            yield spec.doc.find(message, *([name] if name else []))

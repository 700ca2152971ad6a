"""ml/deploy/rollout.yml and collected.yml: what `make deploy` would end with, before anything is deployed."""

from collections.abc import Iterator

from amlspec.finding import Finding
from localml import collected
from rollout import policy
from speccheck.repo import Repo, Spec

PROBLEMS = {policy.FILE: policy.problems, collected.POLICY.name: collected.problems}


def check_rollout(_repo: Repo, spec: Spec) -> Iterator[Finding]:
    """Only fields that each has, each in its range."""
    path = spec.doc.path
    if path.name in PROBLEMS and path.parent.name == "deploy":
        for keys, message in PROBLEMS[path.name](spec.data):
            yield spec.doc.find(message, *keys)

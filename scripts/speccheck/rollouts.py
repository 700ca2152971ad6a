"""ml/deploy/rollout.yml: what `make deploy` would end with, before anything is deployed."""

from collections.abc import Iterator

from amlspec.finding import Finding
from rollout import policy
from speccheck.repo import Repo, Spec


def check_rollout(_repo: Repo, spec: Spec) -> Iterator[Finding]:
    """Only fields that a rollout has, each in its range."""
    path = spec.doc.path
    if path.name == policy.FILE and path.parent.name == "deploy":
        for keys, message in policy.problems(spec.data):
            yield spec.doc.find(message, *keys)

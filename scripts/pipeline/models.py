"""Registered versions of a model, and which of them is the champion, on either engine."""

import os
from typing import Any

from amlspec.errors import UserError
from amlspec.versions import order
from demand.grain import GRAINS, MODEL_NAME, name_of
from pipeline import azml

CHAMPION = "champion"
Version = dict[str, Any]


def name_for(grain: str, base: str = MODEL_NAME) -> str:
    """Name of a grain's models. Raises UserError for a grain that there is not."""
    if grain not in GRAINS:
        raise UserError(f"GRAIN={grain}: {', '.join(GRAINS[:-1])} or {GRAINS[-1]}")
    return name_of(base, grain)


def endpoint_for(grain: str, in_spec: str = MODEL_NAME) -> str:
    """Name of a grain's endpoint: that of the spec on this machine, that of the environment (ENDPOINT) on Azure, where
    a name is unique in its region."""
    return name_for(grain, os.environ.get("ENDPOINT") or in_spec)


def versions(name: str) -> list[Version]:
    """Every version, the highest first; versions compare as numbers."""
    # Lists of Azure ML may leave tags out; a version's own page has them.
    full = [
        each if each.get("tags") else {**each, **(_own_page(name, str(each["version"])) or {})}
        for each in azml.call("model", "list", name=name) or []
    ]
    return sorted(full, key=lambda each: order(str(each["version"])), reverse=True)


def _own_page(name: str, version: str) -> Version | None:
    return azml.optional("model", "show", name=name, version=version)


def champion(known: list[Version]) -> Version | None:
    """The version that forecasts and deployments take: the one that was made champion last.

    On Azure ML each promotion leaves its time in the version's tag `champion`, and the newest time counts; the local
    engine shows the tag on the bearer of MLflow's alias alone. Versions of a registry that knows neither were all
    registered by the gate, so the highest is the last that it promoted.
    """
    crowned = [each for each in known if tags(each).get(CHAMPION)]
    return max(crowned, key=lambda each: tags(each)[CHAMPION]) if crowned else next(iter(known), None)


def tags(version: Version) -> dict[str, str]:
    """Tags of a version."""
    return {str(key): str(value) for key, value in (version.get("tags") or {}).items()}


def version_or_champion(name: str, wanted: str | None) -> str:
    """`wanted`, or the champion. Raises UserError where there is no such version, or none at all."""
    known = versions(name)
    best = champion(known)
    if best is None:
        grain = next((grain for grain in GRAINS if name.endswith(f"-{grain}")), None)
        verb = f"make run-pipeline GRAIN={grain}" if grain else "make run-pipeline"
        raise UserError(f"no version of model {name} is registered: `{verb}` makes one")
    numbers = [str(each["version"]) for each in known]
    if wanted and wanted not in numbers:
        raise UserError(f"model {name} has no version {wanted}: registered are {', '.join(reversed(numbers))}")
    return wanted or str(best["version"])

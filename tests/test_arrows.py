"""What may import what: the arrows between the packages of scripts/ and src/, and no circle among their modules."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Package -> the packages that it may import. Lower ones know nothing of higher ones.
ALLOWED: dict[str, set[str]] = {
    # What forecasts, what was sold, what is learned, which of it is registered.
    "demand": set(),
    "sales": {"demand"},
    "forecasting": {"demand"},
    "judging": {"demand", "forecasting", "pages"},
    "planning": {"demand", "forecasting", "pages"},
    "pages": set(),
    "monitoring": {"demand", "forecasting", "pages"},
    "score": {"demand"},
    # The Azure ML language and this machine; every tool stands on these two.
    "amlspec": set(),
    "host": {"amlspec"},
    "localml": {"amlspec", "host"},
    "workspace": {"amlspec", "host", "localml"},  # the engine behind Azure ML's REST API
    "specfmt": {"amlspec"},
    # The check says what the formatter would change, and what the gate's thresholds (forecasting.thresholds) may be.
    # Of rollout only the policy, of the engine only how long collected rows are kept.
    "speccheck": {"amlspec", "specfmt", "forecasting", "monitoring", "rollout", "localml"},
    # Of forecasting only the verdict, which needs the standard library only.
    "review": {"amlspec", "forecasting", "estimate"},
    "estimate": {"amlspec", "host"},
    "sqlcheck": set(),
    "ownsales": {"amlspec", "host", "sales", "demand"},
    "warehouse": {"host", "amlspec", "sqlcheck", "sales", "demand"},
    # What the Makefile's verbs are made of: they speak to either engine through pipeline.azml.
    # Of forecasting only the verdict, of monitoring only the words of its signals.
    "pipeline": {"amlspec", "host", "localml", "demand", "forecasting", "monitoring"},
    "predict": {"amlspec", "demand", "pipeline"},
    # Of judging only the statement and the signature, of forecasting only the fingerprint.
    # Of forecasting only the width of an interval.
    "forecastdiff": {"amlspec", "host", "localml", "pipeline", "forecasting"},
    "provenance": {"amlspec", "host", "localml", "pipeline", "demand", "judging", "forecasting"},
    "rollout": {"amlspec", "host", "pipeline", "demand", "provenance"},
    "agent": {"amlspec", "host"},
    "overview": {"amlspec", "host", "pipeline", "demand", "rollout", "warehouse", "monitoring"},
    # Of forecasting only the verdict, of monitoring only its page.
    "screens": {"amlspec", "host", "pipeline", "overview", "pages", "forecasting", "monitoring"},
    "infra": {"amlspec", "pipeline"},
    "drift": {"amlspec", "infra", "pipeline", "rollout"},
    "servers": {"amlspec", "localml", "warehouse", "workspace"},
    "rename": {"amlspec"},
    "pictures": {"amlspec", "demand"},
    # The verbs: they call every tool, and no tool knows them.
    "frontdoor": {
        *("amlspec", "host", "localml", "demand", "infra", "pipeline", "warehouse", "ownsales", "predict", "rollout"),
        *(
            "drift",
            "estimate",
            "servers",
            "workspace",
            "overview",
            "screens",
            "rename",
            "replay",
            "provenance",
            "agent",
            "forecastdiff",
        ),
    },
    # Plays months by the same jobs, gate and rollout; what the machine must have ready is handed to it.
    "replay": {
        *("amlspec", "demand", "forecasting", "host", "localml", "monitoring", "pages", "pipeline", "results"),
        *("rollout", "sales", "servers", "warehouse", "planning"),
    },
    "judge": {"amlspec", "host"},  # it calls the engine as a person does
    "results": {"amlspec", "host", "warehouse", "demand", "forecasting", "judging", "sales"},
    "bench": {"amlspec", "host", "localml", "warehouse", "demand", "forecasting", "sales", "estimate"},
}


@cache
def modules() -> dict[str, Path]:
    """Dotted name -> file of every module of ours."""
    files = {}
    for base in (ROOT / "scripts", ROOT / "src"):
        for path in base.rglob("*.py"):
            name = ".".join(path.relative_to(base).with_suffix("").parts)
            files[name.removesuffix(".__init__")] = path
    return files


def imported(path: Path) -> Iterator[str]:
    """Our modules that one imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import hides what it leads to"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            prefixes = (".".join(parts[:depth]) for depth in range(len(parts), 0, -1))
            if target := next((prefix for prefix in prefixes if prefix in modules()), None):
                yield target


def package(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def test_every_package_has_its_place() -> None:
    tools = {package(name) for name, path in modules().items() if path.parent != ROOT / "scripts"}
    assert tools == set(ALLOWED)


@pytest.mark.parametrize("name", ALLOWED)
def test_a_package_imports_only_what_it_may(name: str) -> None:
    wrong = {
        f"{module} -> {target}"
        for module, path in modules().items()
        if package(module) == name
        for target in imported(path)
        if package(target) not in {name, *ALLOWED[name]}
    }
    assert wrong == set()


def test_the_allowed_arrows_make_no_circle() -> None:
    TopologicalSorter(ALLOWED).prepare()


def test_modules_make_no_circle() -> None:
    graph = {name: set(imported(path)) - {name} for name, path in modules().items()}
    TopologicalSorter(graph).prepare()

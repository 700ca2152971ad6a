"""What an edit of src/ touches: docs/get-started.md promises that the rest is reused."""

import shutil
from pathlib import Path

import pytest

from amlspec import snapshot
from amlspec.document import read_document
from amlspec.schema import Component, parse
from e2e.checkout import Checkout
from helpers_sales import daily_sales
from localml import component_code
from rollout.site import Site

ROOT = Path(__file__).parents[1]
LINKED = [
    *("Makefile", "demand", "scripts", "infra", ".venv"),
    *("requirements.lock", "requirements-uv.txt", "pyproject.toml"),
]
# forecast_parts runs the packages that the split step leaves in its output.
STEPS = {path.stem for path in (ROOT / "ml/components").glob("*.yml")} - {"forecast_parts"}
SALES = {"ingest", "aggregate", "publish"}
TRAINED = ("train_contextual", "train_history", "train_profile", "train_booster", "train_blend")
FORECASTING = {"prepare", "train", "direct", "blend", "evaluate", "register", "forecast", "tune", "monitor"}
FORECASTING |= {"split", "collect"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of specs and sources that may be edited."""
    for name in ("ml", "src"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def step_hashes(tree: Path) -> dict[str, str]:
    """Step -> hash of the code that it carries."""
    documents = {name: read_document(tree / f"ml/components/{name}.yml") for name in STEPS}
    return {name: component_code.of(parse(Component, each), each).hash() for name, each in documents.items()}


def endpoint_hash(tree: Path) -> str:
    """What a rollout compares: the deployment's spec and its code."""
    return Site(tree / "ml/deploy/endpoint.yml", tree / "ml/deploy/deployment.yml").content()


@pytest.mark.parametrize(
    ("edited", "steps", "rolled_out"),
    [
        ("forecasting/features.py", FORECASTING, False),
        ("judging/card.py", {"evaluate", "register"}, False),
        ("judging/report/page.js", {"evaluate", "register"}, False),
        ("pages/style.css", {"evaluate", "register", "forecast", "collect", "monitor"}, False),
        ("planning/explorer/explorer.js", {"forecast", "split", "collect"}, False),
        ("sales/publish.py", SALES, False),
        ("demand/score.py", set(), True),
        ("demand/openapi.py", set(), True),
        ("score.py", set(), True),
        ("demand/forecaster.py", STEPS, True),
    ],
)
def test_an_edit_changes_the_steps_that_carry_it_and_the_endpoint_if_it_serves_it(
    tree: Path, edited: str, steps: set[str], rolled_out: bool
) -> None:
    before, served = step_hashes(tree), endpoint_hash(tree)
    with (tree / "src" / edited).open("a", encoding="utf-8") as stream:
        stream.write("# edited\n")
    after = step_hashes(tree)
    assert {name for name in before if before[name] != after[name]} == steps
    assert (endpoint_hash(tree) != served) is rolled_out


def test_the_endpoint_carries_the_entry_script_and_the_package_that_forecasts_alone() -> None:
    names = {path.relative_to(ROOT / "src").parts[0] for path in snapshot.files(ROOT / "src")}
    assert names == {"score.py", "demand"}


@pytest.mark.slow
def test_a_run_after_an_edit_runs_what_the_edit_touches_and_reuses_the_rest(tree: Path, tmp_path: Path) -> None:
    for name in (
        "Makefile",
        "demand",
        "scripts",
        "infra",
        "requirements.lock",
        "requirements-uv.txt",
        "pyproject.toml",
        ".venv",
    ):
        (tree / name).symlink_to(ROOT / name)
    daily_sales(stores=4, first="2022-01-01", last="2024-06-30").to_csv(tmp_path / "good.csv", index=False)
    checkout = Checkout(tmp_path / "home", tree)
    try:
        # Fewer months to judge by: what is trained is not looked at.
        run = ("run-pipeline", "HOLDOUT_MONTHS=3")
        checkout.make(*run, f"SALES={tmp_path / 'good.csv'}")
        with (tree / "src/demand/score.py").open("a", encoding="utf-8") as stream:
            stream.write("# edited\n")
        output = checkout.make(*run)
        assert reused(output) == {"aggregate", "prepare", *TRAINED, "evaluate", "register"}
        with (tree / "src/judging/report/page.js").open("a", encoding="utf-8") as stream:
            stream.write("// edited\n")
        assert reused(checkout.make(*run)) == {"aggregate", "prepare", *TRAINED}
        with (tree / "src/forecasting/features.py").open("a", encoding="utf-8") as stream:
            stream.write("# edited\n")
        output = checkout.make(*run)
        assert "job import-" not in output
        assert reused(output) == {"aggregate"}
    finally:
        checkout.make("stop")


def reused(output: str) -> set[str]:
    """Steps that a run took from an earlier one."""
    return {line.strip().partition(":")[0] for line in output.splitlines() if "reused from" in line}

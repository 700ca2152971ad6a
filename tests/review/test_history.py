"""No false finding on this repo's own history, and none missed: azure-ai-ml's own hash of a snapshot is the judge."""

import importlib
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest
import yaml

from amlspec.kinds import Kind, kind_of
from review.change import open_change
from review.content import _CONTENT
from review.guard import guard
from speccheck.loaders import quiet

pytestmark = pytest.mark.slow  # walks every commit of the history

ROOT = Path(__file__).parents[2]
# Enough to hold every kind of change so far, few enough to stay within seconds.
COMMITS = 30


def git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True).stdout


def pairs() -> list[tuple[str, str]]:
    """(parent, commit) of the latest commits that touch specs or code, merges against their first parent."""
    rows = git("rev-list", "--first-parent", "--parents", "-n", str(COMMITS), "HEAD", "--", "ml", "src")
    rows += git("rev-list", "--no-merges", "--parents", "-n", str(COMMITS), "HEAD", "--", "ml", "src")
    split = (row.split() for row in rows.decode().splitlines())
    return sorted({(git("rev-parse", f"{row[0]}^").decode().strip(), row[0]) for row in split if len(row) > 1})


def checked_out(commit: str, folder: Path) -> Path:
    target = folder / commit
    if not target.exists():
        with tarfile.open(fileobj=BytesIO(git("archive", commit))) as archive:
            archive.extractall(target, filter="data")
    return target


def azure_hash(folder: Path) -> str:
    """Hash by which azure-ai-ml knows an upload again."""
    with quiet():  # the import takes seconds and is loud
        utils = importlib.import_module("azure.ai.ml._utils._asset_utils")
    return str(utils.get_object_hash(folder, utils.get_ignore_file(folder)))


def merged_hash(base: Path, code: str | None, included: list[str]) -> str:
    """The same of a component with additional includes, which azure-ai-ml merges first."""
    with quiet():
        module = importlib.import_module("azure.ai.ml.entities._component._additional_includes")
        utils = importlib.import_module("azure.ai.ml._utils._asset_utils")
        merge = module.AdditionalIncludes(origin_code_value=code, base_path=base, configs=included)
        with merge.merge_local_code_and_additional_includes() as folder:
            return str(utils.get_object_hash(folder, module.ComponentIgnoreFile(folder)))


def contents(root: Path) -> dict[str, tuple[str, object]]:
    """Path -> (version, content) of each component and environment, as azure-ai-ml sees them."""
    specs = {}
    for path in sorted(root.glob("ml/**/*.yml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        kind = kind_of(data)
        if kind in (Kind.COMPONENT, Kind.ENVIRONMENT):
            kept = _CONTENT.get(kind, data.keys() - {"version"})
            reference = data.get("code") or (data.get("build") or {}).get("path")
            if included := data.get("additional_includes"):
                files = merged_hash(path.parent, data.get("code"), included)
            else:
                files = azure_hash(path.parent / reference) if reference else ""
            spec = {key: data.get(key) for key in kept}
            specs[path.relative_to(root).as_posix()] = (str(data["version"]), (spec, files))
    return specs


def test_the_guard_reports_exactly_the_changes_that_azure_would_see(tmp_path: Path) -> None:
    if not (ROOT / ".git").exists() or git("rev-parse", "--is-shallow-repository").strip() == b"true":
        pytest.skip("the history is not here: a shallow clone, or no clone at all")
    history = pairs()
    if not history:
        pytest.skip("one commit is not a history")
    for parent, commit in history:
        before, after = (contents(checked_out(revision, tmp_path)) for revision in (parent, commit))
        same_version = [path for path in before.keys() & after.keys() if before[path][0] == after[path][0]]
        expected = {path for path in same_version if before[path] != after[path]}
        with open_change(ROOT, parent, commit) as change:
            reported = {verdict.finding.path for verdict in guard(change)}
        assert reported & set(same_version) == expected, f"{parent[:8]}..{commit[:8]}"

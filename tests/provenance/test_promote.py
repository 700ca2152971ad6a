"""The way of a model from one workspace of this machine to another: the same bytes, and what is refused on it."""

import json
from pathlib import Path

import pytest
import yaml
from provenance_kit import NAME, signed, tags

from amlspec.errors import UserError
from frontdoor import app
from localml import tracking
from localml.commands import run as engine
from pipeline import models
from provenance import keys, promote

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow  # each workspace makes MLflow's database


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two workspaces; the first has version 1 as its champion, the key is the first one's."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("AZ_ML", "localml")
    first, second = tmp_path / "first", tmp_path / "second"
    second.mkdir()
    use(monkeypatch, first)
    register(signed(tmp_path / "one"), tags())
    return first, second


def use(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("LOCALML_HOME", str(home))
    monkeypatch.setenv(keys.FOLDER_VARIABLE, str(home.parent / "first/keys"))


def register(model: Path, given: dict[str, str]) -> str:
    spec = model.parent / "spec.yml"
    data = {"name": NAME, "path": str(model), "type": "mlflow_model", "tags": given}
    spec.write_text(yaml.safe_dump(data))
    version = str(engine("model", "create", spec=spec)["version"])
    tracking.tag(NAME, version, {"champion": f"2026-12-0{version}T00:00:00+00:00"})
    return version


def promoted(*words: str) -> int:
    return app.main(["promote", *words])


def test_the_same_bytes_arrive_are_checked_and_become_the_champion(
    two: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = two
    assert promoted("--from", str(first), "--to", str(second)) == 0
    shown = capsys.readouterr().out
    assert "champion of demand-forecast: none -> version 1 of first" in shown
    assert "WAPE: - -> 15.6%" in shown
    assert "Price now counts" in shown
    use(monkeypatch, second)
    best = models.champion(models.versions(NAME))
    assert best is not None
    assert models.tags(best)["promoted_from"] == "first, version 1"
    assert {key: models.tags(best)[key] for key in tags()} == tags()
    assert promoted("--from", str(first), "--to", str(second)) == 0
    assert "demand-forecast:1 is the champion already: no change" in capsys.readouterr().out
    assert len(models.versions(NAME)) == 1


def test_an_older_version_can_be_promoted_again_without_a_second_copy(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = two
    assert promoted("--from", str(first), "--to", str(second)) == 0
    use(monkeypatch, first)
    register(signed(tmp_path / "two", "b"), tags("b"))
    assert promoted("--from", str(first), "--to", str(second)) == 0
    assert promoted("--from", str(first), "--to", str(second), "--model-version", "1") == 0
    use(monkeypatch, second)
    assert [each["version"] for each in models.versions(NAME)] == ["2", "1"]
    assert models.champion(models.versions(NAME))["version"] == "1"


def test_what_is_not_ours_is_refused_and_the_champion_there_stays(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each is registered as a further version of the first workspace, since making a workspace takes seconds."""
    first, second = two
    assert promoted("--from", str(first), "--to", str(second)) == 0
    cases = {
        "bytes": "it is not as it was signed",
        "tag": "its tag git_commit is other, its statement says",
        "refused": "the gate of its run refused it",
        "foreign": "none of the 1 trusted keys signed it",
    }
    for change, message in cases.items():
        if change == "foreign":
            monkeypatch.setenv(keys.FOLDER_VARIABLE, str(tmp_path / "another"))
        model = signed(tmp_path / change, change, promoted=change != "refused")
        if change == "bytes":
            (model / "model.pkl").write_bytes(b"another pickle")
        use(monkeypatch, first)
        register(model, tags(change) | ({"git_commit": "other"} if change == "tag" else {}))
        assert promoted("--from", str(first), "--to", str(second)) == 1
        assert message in capsys.readouterr().err
    use(monkeypatch, second)
    assert [each["version"] for each in models.versions(NAME)] == ["1"]


def test_an_export_that_was_altered_on_its_way_is_refused(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = two
    monkeypatch.setenv("LOCALML_HOME", str(first))
    assert app.main(["export-model", "--folder", str(tmp_path / "out")]) == 0
    note = json.loads((tmp_path / "out" / promote.NOTE).read_text())
    assert (note["name"], note["version"]) == (NAME, "1")
    (tmp_path / "out/model/serving/forest.onnx").write_bytes(b"0")
    assert promoted("--from", str(tmp_path / "out"), "--to", str(second)) == 1
    assert "it is not as it was signed" in capsys.readouterr().err


def test_a_workspace_without_the_environment_that_serves_takes_no_model(
    two: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = two
    monkeypatch.setenv("LOCALML_HOME", str(first))
    assert app.main(["export-model", "--folder", str(tmp_path / "out")]) == 0
    use(monkeypatch, second)
    with pytest.raises(UserError, match=r"environment score:\d+ is not registered there: make environments"):
        promote.bring_in(tmp_path / "out", lambda _line: None)
    assert models.versions(NAME) == []


def test_a_wrong_call_says_what_to_give(
    two: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = two
    cases = [
        ([], "from where, to where? make promote FROM=dev TO=prod"),
        (["--from", str(tmp_path / "none"), "--to", str(second)], "give dev, prod or a folder"),
        (["--from", str(first), "--to", str(second), "--model-version", "9"], "has no version 9: registered are 1"),
    ]
    for words, message in cases:
        assert promoted(*words) == 2
        assert message in capsys.readouterr().err
    (tmp_path / "full").mkdir()
    (tmp_path / "full/x").write_text("x")
    assert app.main(["export-model", "--folder", str(tmp_path / "full")]) == 2
    assert "it holds something: give an empty folder" in capsys.readouterr().err

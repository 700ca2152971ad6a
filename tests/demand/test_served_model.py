"""How the endpoint knows its model, whatever folder Azure ML mounts it in."""

from pathlib import Path

import pytest

from demand.served_model import identity, serving_folder

ROOT = "/var/azureml-app/azureml-models"


@pytest.mark.parametrize("folder", [f"{ROOT}/shop/7", f"{ROOT}/shop/7/model", f"{ROOT}/shop/7/a/b", "/models/shop/7"])
def test_name_and_version_are_read_off_the_folder(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODEL_REFERENCE", raising=False)
    assert identity(Path(folder)) == ("shop", "7")


def test_model_reference_of_the_rollout_wins_over_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_REFERENCE", "shop:12")
    assert identity(Path("/mnt/elsewhere/files")) == ("shop", "12")


def test_a_model_that_was_registered_under_the_former_layout_is_still_read(tmp_path: Path) -> None:
    assert serving_folder(tmp_path) == tmp_path / "endpoint"
    (tmp_path / "serving").mkdir()
    assert serving_folder(tmp_path) == tmp_path / "serving"

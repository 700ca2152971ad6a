"""Whether the warehouse sums the sales is remembered, and an import follows whoever asks for the other way."""

from pathlib import Path

import pytest

from frontdoor import ready, site


@pytest.fixture
def imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The grains of the push-downs that were imported; empty for raw sales."""
    monkeypatch.setenv("LOCALML_HOME", str(tmp_path))
    (tmp_path / "warehouse").mkdir()
    (tmp_path / "warehouse/seeded.json").write_text("{}")
    asked: list[str] = []
    monkeypatch.setattr(site, "is_local", lambda: True)
    monkeypatch.setattr(ready, "environments", lambda: None)
    monkeypatch.setattr(ready, "start_warehouse", lambda: None)
    monkeypatch.setattr(ready.runs, "bring_in", lambda _vault, grain, **_: asked.append(grain) or 0)
    return asked


def test_only_another_way_is_imported_anew(imports: list[str]) -> None:
    for wanted in ("", "", "store", "store", "product", "", ""):
        ready.for_jobs(None, wanted)
    assert imports == ["", "store", "product", ""]


def test_a_verb_that_does_not_care_takes_what_there_is(imports: list[str]) -> None:
    ready.for_jobs(None, "product")
    ready.for_jobs()
    assert imports == ["product"]


def test_new_sales_come_in_the_way_of_the_last_import(imports: list[str], tmp_path: Path) -> None:
    ready.for_jobs(None, "product")
    (tmp_path / "warehouse/seeded.json").write_text('{"rows": 2}')
    ready.for_jobs()
    assert imports == ["product", "product"]


def test_an_import_that_failed_is_not_remembered(imports: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ready.for_jobs(None, "")
    monkeypatch.setattr(ready.runs, "bring_in", lambda *_, **__: 1)
    with pytest.raises(SystemExit):
        ready.for_jobs(None, "store")
    assert ready._summed_by() == ""

"""Which registered version is the champion, and what a grain's models are called."""

import pytest

from amlspec.errors import UserError
from pipeline import azml, models


def version(number, champion=None):
    return {"version": str(number), "tags": {"recipe": "r"} | ({"champion": champion} if champion else {})}


@pytest.fixture
def registry(monkeypatch):
    answers = {("model", "list"): []}
    monkeypatch.setattr(azml, "call", lambda *words, **_: answers[words])
    return answers


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ([], None),
        ([version(2, "2026-11-01T00:00:00+00:00"), version(1, "2026-11-02T00:00:00+00:00")], "1"),
        ([version(3), version(2, "2026-11-01T00:00:00+00:00"), version(1)], "2"),
        ([version(10), version(9)], "10"),
    ],
)
def test_the_champion_is_the_version_that_was_promoted_last_not_the_newest(registry, known, expected):
    registry["model", "list"] = known
    champion = models.champion(models.versions("demand-forecast"))
    assert (champion and champion["version"]) == expected


def test_tags_that_a_list_leaves_out_are_asked_for(registry):
    registry["model", "list"] = [{"version": "1", "tags": {}}]
    registry["model", "show"] = version(1, "2026-11-01")
    assert models.tags(models.versions("demand-forecast")[0])["champion"] == "2026-11-01"


def test_versions_compare_as_numbers(registry):
    registry["model", "list"] = [version(each) for each in (9, 10, 8)]
    assert models.version_or_champion("demand-forecast", None) == "10"
    with pytest.raises(UserError, match="has no version 7: registered are 8, 9, 10"):
        models.version_or_champion("demand-forecast", "7")


def test_without_a_model_the_way_to_one_of_its_grain_is_said(registry):
    with pytest.raises(UserError, match="`make run-pipeline` makes one"):
        models.version_or_champion("demand-forecast", None)
    with pytest.raises(UserError, match="`make run-pipeline GRAIN=category` makes one"):
        models.version_or_champion("demand-forecast-category", None)


def test_a_grain_has_models_of_its_own_and_an_unknown_one_is_refused():
    assert [models.name_for(grain) for grain in ("store", "category")] == [
        "demand-forecast",
        "demand-forecast-category",
    ]
    with pytest.raises(UserError, match="GRAIN=shop: store, category or product"):
        models.name_for("shop")

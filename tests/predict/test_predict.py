"""What `make predict` tells a planner of an answer."""

from predict.__main__ import lines

ROW = {"StoreID": "s001", "MonthYear": "2026-12", "TotalSales": 5.0, "P10": 4.0, "P90": 6.0, "past": [], "drivers": []}
MODEL = {"name": "demand-forecast", "version": "1", "known_until": "2026-10"}


def test_a_store_in_another_spelling_brings_a_note_with_the_known_one():
    row = {**ROW, "flags": ["unknown_store"], "did_you_mean": "S001"}
    assert [line for line in lines({"predictions": [row], "model": MODEL}) if line.startswith("Note")] == [
        "Note: this store is not known: the forecast is that of an average one",
        'Note: did you mean STORE="S001"?',
    ]


def test_a_known_store_has_no_note():
    printed = lines({"predictions": [{**ROW, "flags": []}], "model": MODEL})
    assert not any(line.startswith("Note") for line in printed)

"""A store id that differs only in case or blanks is recognised."""

import pytest

from demand.store_ids import did_you_mean, similar, spelled_twice


@pytest.mark.parametrize("store", ["s001", " S001", "S001 ", "s001\t"])
def test_case_and_surrounding_blanks_do_not_make_another_store(store: str) -> None:
    assert similar(store, ["S002", "S001"]) == "S001"
    assert did_you_mean(store, ["S001"]) == f'"{store}" (did you mean "S001"?)'


@pytest.mark.parametrize("store", ["S001", "S0011", "S01", "S-001"])
def test_an_equal_id_and_a_different_id_are_not_suggested(store: str) -> None:
    assert similar(store, ["S002", "S001"]) is None
    assert did_you_mean(store, ["S001"]) == f'"{store}"'


def test_each_store_with_several_spellings_gets_one_line_and_long_lists_are_cut() -> None:
    many = {f"{'a' * 3}{' ' * blanks}": 1 for blanks in range(1, 9)}
    lines = spelled_twice({"aaa": 9, **many, "b": 3, "B": 2, "c": 1})
    assert len(lines) == 2
    assert 'did you mean "aaa"?' in lines[0] and "and 3 more" in lines[0]
    assert lines[1].startswith('StoreID: "B" differ from "b" only in case or blanks')

"""One order of versions for the engine, the check, the review and the drift report."""

import pytest

from amlspec.versions import following, highest, is_higher, order


def test_versions_are_ordered_as_people_count_them() -> None:
    expected = ["1.0-alpha", "1.0-rc1", "1.0-rc2", "1.0", "1.0.1", "1.9", "1.10", "2", "10"]
    assert sorted(set(expected), key=order) == expected


def test_a_release_is_newer_than_the_candidate_that_led_to_it() -> None:
    assert highest(["1.0-rc1", "1.0", "0.9"]) == "1.0"
    assert is_higher("1.0", "1.0-rc1")
    assert not is_higher("1.0-rc1", "1.0")


@pytest.mark.parametrize(
    ("version", "after"), [("1", "2"), ("1.9", "1.10"), ("1.0-rc1", "1.0-rc2"), ("2026.09", "2026.10")]
)
def test_the_following_version_counts_its_last_number(version: str, after: str) -> None:
    assert following(version) == after

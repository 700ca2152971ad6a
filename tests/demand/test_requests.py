"""A request is either rows that the model can forecast, or faults that name row, field and rule; nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demand.contract import load_contract
from demand.months import month_of
from demand.openapi import document
from demand.requests import Request, RequestError, RequestRules
from helpers_sales import CONTRACT

CHECK = RequestRules(load_contract(CONTRACT), ("StoreID",), month_of("2023-01") or 0, month_of("2025-12") or 0)
GOOD = {"StoreID": "S1", "MonthYear": "2026-01"}


def body(**row: Any) -> bytes:
    return json.dumps({"input_data": [{**GOOD, **row}]}).encode()


def fault(sent: bytes) -> tuple[int | None, str | None, str]:
    with pytest.raises(RequestError) as caught:
        CHECK.read(sent)
    first = caught.value.faults[0]
    return first.row, first.field, first.rule


def test_a_good_row_comes_back_with_its_month() -> None:
    asked = CHECK.read(body(Price=4.5, Promotion=True, City=None, Country=""))
    assert asked == Request([{"StoreID": "S1", "Month": month_of("2026-01"), "Price": 4.5, "Promotion": True}])
    assert CHECK.read(b'{"input_data": [{"StoreID": "S1", "MonthYear": "2026-01"}], "explain": true}').explain


ANY = st.none() | st.booleans() | st.text(max_size=2) | st.floats() | st.integers() | st.lists(st.none(), max_size=1)
FIELDS = {
    "StoreID": st.sampled_from(["S1", "S2"]) | ANY,
    "MonthYear": st.sampled_from(["2026-01", "2030-12", "2031-01"]) | ANY,
    "Price": st.floats(0, 10) | st.sampled_from([0, 7, -1, 1e12, -1e12, 10**400]) | ANY,
    "Promotion": st.booleans() | ANY,
    "Country": st.sampled_from(["Canada", ""]) | ANY,
    "Prise": ANY,
}
ALIKE = st.lists(st.sampled_from(list(FIELDS)), unique=True, max_size=4).flatmap(
    lambda names: st.lists(st.fixed_dictionaries({name: FIELDS[name] for name in ["StoreID", "MonthYear", *names]}))
)


@given(ALIKE | st.lists(st.fixed_dictionaries({}, optional=FIELDS) | ANY, max_size=3))
def test_rows_that_are_alike_are_read_as_one_by_one(rows: list[Any]) -> None:
    faults: list[Any] = []
    wanted = [CHECK._row(number, row, faults) for number, row in enumerate(rows)]
    if faults:
        with pytest.raises(RequestError) as caught:
            CHECK.rows(rows)
        assert [*caught.value.faults] == faults[:20]
    else:
        assert CHECK.rows(rows) == wanted


def test_good_rows_that_are_alike_are_read_together() -> None:
    rows = [{"StoreID": f"S{n}", "MonthYear": "2026-01", "Price": float(n), "Promotion": n > 2} for n in range(5)]
    assert CHECK._alike(rows) == [CHECK._row(0, row, []) for row in rows]


@pytest.mark.parametrize(
    ("row", "field", "rule"),
    [
        ({"Price": -0.01}, "Price", "at least 0"),
        ({"Price": "4"}, "Price", "must be a number"),
        ({"Price": True}, "Price", "must be a number"),
        ({"Price": 1e12}, "Price", "between"),
        ({"Promotion": ""}, "Promotion", "true or false"),
        ({"Price": ""}, "Price", "must be a number"),
        ({"Promotion": 1}, "Promotion", "true or false"),
        ({"Holiday": "yes"}, "Holiday", "true or false"),
        ({"Weather": 3}, "Weather", "must be text"),
        ({"StoreID": 7}, "StoreID", "must be text"),
        ({"StoreID": ""}, "StoreID", "missing"),
        ({"StoreID": None}, "StoreID", "missing"),
        ({"MonthYear": None}, "MonthYear", "missing"),
        ({"MonthYear": 202601}, "MonthYear", "YYYY-MM"),
        ({"MonthYear": "2026-1"}, "MonthYear", "YYYY-MM"),
        ({"MonthYear": "2022-12"}, "MonthYear", "before the first known month, 2023-01"),
        ({"MonthYear": "2031-01"}, "MonthYear", "the last forecast is 2030-12"),
        ({"Prise": 4}, "Prise", "no such field"),
        ({"Quantity": 4}, "Quantity", "no such field"),
    ],
)
def test_a_bad_row_names_row_field_and_rule(row: dict[str, Any], field: str, rule: str) -> None:
    first = fault(json.dumps({"input_data": [GOOD, {**GOOD, **row}]}).encode())
    assert first[:2] == (1, field) and rule in first[2]


@pytest.mark.parametrize(
    ("sent", "rule"),
    [
        (b"", "must be JSON"),
        (b"[", "must be JSON"),
        (b'{"input_data": [{"StoreID": "S1", "MonthYear": "2026-01", "Price": NaN}]}', "NaN"),
        (b'{"input_data": [{"StoreID": "S1", "MonthYear": "2026-01", "Price": -Infinity}]}', "-Infinity"),
        (b'{"input_data": "\xff"}', "UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"[]", "input_data"),
        (b"{}", "input_data"),
        (b'{"input_data": {}}', "input_data"),
        (b'{"input_data": []}', "1 to 10000 rows"),
        (json.dumps({"input_data": [GOOD] * 10_001}).encode(), "1 to 10000 rows"),
        (b" " * (10 << 20) + b"{}", "10 MB"),
        (b'{"input_data": [1], "explain": 1}', "true or false"),
        (b'{"input_data": [1], "other": 1}', "no such field"),
        (b'{"input_data": [' + b"9" * 5000 + b"]}", "must be"),
    ],
)
def test_a_body_that_is_not_json_is_refused(sent: bytes, rule: str) -> None:
    assert rule in fault(sent)[2]


@pytest.mark.parametrize("number", ["1e999", "1" + "0" * 400])
def test_a_number_beyond_every_float_is_out_of_range(number: str) -> None:
    sent = body(Price=0).replace(b"0}", number.encode() + b"}")
    assert fault(sent)[:2] in ((0, "Price"), (None, None))


def test_a_lone_surrogate_is_text_like_any_other() -> None:
    assert CHECK.read(body(City="\ud800")).rows[0]["City"] == "\ud800"


def test_an_answer_lists_at_most_twenty_faults_and_says_the_first_in_words() -> None:
    sent = json.dumps({"input_data": [{"StoreID": 1}] * 30}).encode()
    with pytest.raises(RequestError) as caught:
        CHECK.read(sent)
    answer = caught.value.as_json()
    assert len(answer["errors"]) == 20
    assert answer["error"] == {**answer["errors"][0], "code": "bad_request", "message": answer["error"]["message"]}
    assert answer["error"]["message"].startswith("row 0, StoreID: ")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
fields = st.dictionaries(st.sampled_from([*CHECK.columns, "MonthYear", "Month", "x"]), values)


@given(asked=values | st.fixed_dictionaries({"input_data": st.lists(fields, max_size=3)}))
def test_any_json_is_a_valid_request_or_a_list_of_faults(asked: Any) -> None:
    try:
        request = CHECK.read(json.dumps(asked).encode())
    except RequestError as error:
        json.dumps(error.as_json())
        assert 1 <= len(error.faults) <= 20
    else:
        assert all({"StoreID", "Month"} <= set(row) for row in request.rows)


@given(sent=st.binary(max_size=200))
def test_random_bytes_are_refused_and_never_crash_the_parser(sent: bytes) -> None:
    with pytest.raises(RequestError):
        CHECK.read(sent)


def test_the_api_document_has_the_contracts_fields_and_the_models_months() -> None:
    row = document(CHECK, "7")["components"]["schemas"]["Request"]["properties"]["input_data"]["items"]
    assert set(row["properties"]) == {"MonthYear", *CHECK.columns}
    assert row["required"] == ["MonthYear", "StoreID"] and row["additionalProperties"] is False
    months = row["properties"]["MonthYear"]["enum"]
    assert (months[0], months[-1]) == ("2023-01", "2030-12")
    assert row["properties"]["Price"]["minimum"] == 0

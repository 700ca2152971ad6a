"""What a request to the endpoint must be: the JSON body of design and docs, checked against the sales contract."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from demand.contract import Column, Contract
from demand.months import month_name, month_of
from demand.timeline import MAX_HORIZON

MAX_ROWS, MAX_BYTES, MAX_FAULTS = 10_000, 10 << 20, 20
NUMBER_LIMIT = 1e12
_NUMBER = (int, float)  # a union of them is made anew at each look
# What describes a sale, not a month.
_OF_A_SALE = frozenset({"SaleID", "SaleDate", "Quantity"})
_TOP = frozenset({"input_data", "explain"})


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: row (0 is the first, None for the body as a whole), field, and the rule it breaks."""

    row: int | None
    field: str | None
    rule: str

    def as_json(self) -> dict[str, Any]:
        """As JSON."""
        return {"row": self.row, "field": self.field, "rule": self.rule}


class RequestError(Exception):
    """The caller can mend this; `faults` say how. At most MAX_FAULTS of them, the first ones."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__(faults[0].rule)
        self.faults = faults

    def as_json(self) -> dict[str, Any]:
        """The body of the answer: the first fault in words, and all of them to read by program."""
        first = self.faults[0]
        where = ", ".join(
            part for part in (f"row {first.row}" if first.row is not None else "", first.field or "") if part
        )
        message = f"{where}: {first.rule}" if where else first.rule
        error = {"code": "bad_request", "message": message, **first.as_json()}
        return {"error": error, "errors": [fault.as_json() for fault in self.faults]}


@dataclass(frozen=True)
class Request:
    """Rows as `Forecaster.forecast` takes them, their months as text, and whether the drivers are asked for."""

    rows: list[dict[str, Any]]
    explain: bool = False


def _whole(rule: str, field: str | None = None) -> RequestError:
    return RequestError(Fault(None, field, rule))


def parse(body: bytes) -> Any:
    """The JSON of a body. NaN and Infinity, which Python would take, are refused.

    Raises:
        RequestError: not UTF-8, or not JSON.
    """
    if len(body) > MAX_BYTES:
        raise _whole(f"at most {MAX_BYTES >> 20} MB a request: send fewer rows")
    try:
        return orjson.loads(body)
    except ValueError:
        return _parse_slowly(body)


def _parse_slowly(body: bytes) -> Any:
    """As `parse`, with the words for what is wrong."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise _whole(f"the body must be UTF-8: byte {error.start} is not") from None
    except RecursionError:
        raise _whole("the body is nested too deeply") from None
    except ValueError as error:
        raise _whole(f"the body must be JSON: {error}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON number; leave the field out where nothing is known")


class RequestRules:
    """The rules of one model: the contract's fields, and the months that it knows.

    Args:
        contract: sales contract packed with the model.
        key_columns: StoreID, and Category or Product where the model's grain has it.
        first_month, last_month: indices of the first and the last month with sales.
    """

    def __init__(self, contract: Contract, key_columns: tuple[str, ...], first_month: int, last_month: int) -> None:
        self.columns = {column.name: column for column in contract.columns if column.name not in _OF_A_SALE}
        self.required = ("MonthYear", *key_columns)
        self.first_month, self.last_forecast = first_month, last_month + MAX_HORIZON
        self._rules = {name: _rule_of(column) for name, column in self.columns.items()}
        # Columns of which every value of a type meets the rule: most of what is asked.
        types = {"string": str, "boolean": bool}
        self._plain = {name: types[column.type] for name, column in self.columns.items() if column.type in types}
        self._lowest = {name: _lowest(column) for name, column in self.columns.items() if column.type == "number"}
        self._needed = frozenset(self.required)
        self._typed = {name for name, column in self.columns.items() if column.type in ("number", "boolean")}
        self._months = {month_name(month): month for month in range(first_month, self.last_forecast + 1)}

    def read(self, body: bytes) -> Request:
        """The request of a body.

        Raises:
            RequestError: anything that the caller has to mend.
        """
        asked = parse(body)
        if not isinstance(asked, dict) or not isinstance(asked.get("input_data"), list):
            raise _whole('the body must be {"input_data": [rows]}', "input_data")
        if not _TOP.issuperset(asked):
            raise _whole(f"no such field; known: {', '.join(sorted(_TOP))}", min(set(asked) - _TOP))
        explain = asked.get("explain", False)
        if not isinstance(explain, bool):
            raise _whole("must be true or false", "explain")
        rows = asked["input_data"]
        if not 1 <= len(rows) <= MAX_ROWS:
            raise _whole(f"1 to {MAX_ROWS} rows a request, it has {len(rows)}", "input_data")
        return Request(self.rows(rows), explain)

    def rows(self, rows: list[Any]) -> list[dict[str, Any]]:
        """The rows as `Forecaster.forecast` takes them. Raises RequestError with every fault found."""
        if len(rows) > 1 and (alike := self._alike(rows)):
            return alike
        faults: list[Fault] = []
        clean = [self._row(number, row, faults) for number, row in enumerate(rows)]
        if faults:
            raise RequestError(*faults[:MAX_FAULTS])
        return clean

    def _alike(self, rows: list[Any]) -> list[dict[str, Any]] | None:
        """The same of rows with the same fields and nothing to say of any, in half the time; None for all others."""
        if {*map(type, rows)} != {dict}:
            return None
        fields = rows[0].keys()
        if not fields >= self._needed or any(row.keys() != fields for row in rows):
            return None
        columns = {name: self._well([row[name] for row in rows], name) for name in fields}
        if None in columns.values():
            return None
        clean = [row.copy() for row in rows]
        for row, month in zip(clean, columns["MonthYear"] or [], strict=True):
            del row["MonthYear"]
            row["Month"] = month
        return clean

    def _well(self, values: list[Any], name: str) -> list[Any] | None:
        """The values of a field as rows have them; None where one of them breaks a rule, or is left out."""
        types = {*map(type, values)}
        if name == "MonthYear":
            months = [self._months.get(value) for value in values] if types == {str} else [None]
            return None if None in months else months
        if name in self._plain:
            return values if types == {self._plain[name]} and "" not in values else None
        if name not in self._lowest or not types <= {int, float}:
            return None
        lowest = self._lowest[name]
        return values if all(lowest <= value < NUMBER_LIMIT for value in values) else None

    def _row(self, number: int, row: Any, faults: list[Fault]) -> dict[str, Any]:
        """The row's known fields and its Month; what is wrong goes to `faults`."""
        clean: dict[str, Any] = {}
        if not isinstance(row, dict):
            faults.append(Fault(number, None, "must be an object with StoreID and MonthYear"))
            return clean
        rules, plain = self._rules, self._plain
        for name, value in row.items():
            if type(value) is plain.get(name) and value != "":
                clean[name] = value
                continue
            if value is None or (value == "" and name not in self._typed):
                continue  # empty text is a missing text, as in the contract
            rule = rules.get(name)
            if rule is not None:
                fault = rule(value)
                if fault is None:
                    clean[name] = value
                else:
                    faults.append(Fault(number, name, fault))
            elif name == "MonthYear":
                clean["Month"] = self._month(number, value, faults)
            else:
                faults.append(Fault(number, name, f"no such field; known: MonthYear, {', '.join(rules)}"))
        for name in self.required:
            if name not in row or row[name] is None or row[name] == "":
                faults.append(Fault(number, name, "missing"))
        return clean

    def _month(self, number: int, value: Any, faults: list[Fault]) -> int | None:
        month = self._months.get(value) if isinstance(value, str) else None
        if month is None:
            faults.append(Fault(number, "MonthYear", self._month_rule(value)))
        return month

    def _month_rule(self, value: Any) -> str:
        month = month_of(value) if isinstance(value, str) else None
        if month is None:
            return f'must be a month as text, "YYYY-MM", it is {_shown(value)}'
        if month < self.first_month:
            return f"{value} lies before the first known month, {month_name(self.first_month)}"
        return f"{value} lies more than {MAX_HORIZON} months after the last known one; the last forecast is " + (
            month_name(self.last_forecast)
        )


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 40 else text[:37] + "..."


def _rule_of(column: Column) -> Callable[[Any], str | None]:
    """A function from a value (neither null nor empty) to the rule that it breaks."""
    if column.type == "number":
        return partial(_number_fault, minimum=column.minimum)
    if column.type == "boolean":
        return lambda value: None if isinstance(value, bool) else f"must be true or false, it is {_shown(value)}"
    return lambda value: None if isinstance(value, str) else f"must be text, it is {_shown(value)}"


def _lowest(column: Column) -> float:
    """The smallest number that meets the rule of a column."""
    above = math.nextafter(-NUMBER_LIMIT, 0.0)
    return above if column.minimum is None else max(above, column.minimum)


def _number_fault(value: Any, minimum: float | None) -> str | None:
    if not isinstance(value, _NUMBER) or isinstance(value, bool):
        return f"must be a number, it is {_shown(value)}"
    if not -NUMBER_LIMIT < value < NUMBER_LIMIT:
        return "must lie between -1e12 and 1e12"
    if minimum is not None and value < minimum:
        return f"must be at least {minimum:g}, it is {_shown(value)}"
    return None

"""The OpenAPI document of the endpoint, made from the rules that requests are checked with."""

from typing import Any

from demand.contract import Column
from demand.months import month_name
from demand.requests import MAX_ROWS, NUMBER_LIMIT, RequestRules

_TYPES = {"string": "string", "number": "number", "boolean": "boolean", "timestamp": "string"}


def document(rules: RequestRules, version: str) -> dict[str, Any]:
    """OpenAPI 3.0; months are listed, since a model knows no others."""
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Demand forecast",
            "description": "Units that a store will sell in a month, with an interval that 8 in 10 months fall into. "
            "The endpoint in front of this server asks for its key: `Authorization: Bearer <key>`.",
            "version": version,
        },
        "paths": {"/score": {"post": _score()}},
        "components": {
            "schemas": {"Request": _request(rules), "Forecasts": _forecasts(rules), "Error": _error()},
        },
    }


def _score() -> dict[str, Any]:
    def answer(text: str, schema: str) -> dict[str, Any]:
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
        return {"description": text, "content": content}

    body = {"application/json": {"schema": {"$ref": "#/components/schemas/Request"}}}
    return {
        "operationId": "forecast",
        "summary": "Forecast stores and months",
        "requestBody": {"required": True, "content": body},
        "responses": {
            "200": answer("One forecast for each row, in their order.", "Forecasts"),
            "400": answer("The request has to be mended; names row, field and rule.", "Error"),
        },
    }


def _request(rules: RequestRules) -> dict[str, Any]:
    months = [month_name(month) for month in range(rules.first_month, rules.last_forecast + 1)]
    fields: dict[str, Any] = {"MonthYear": {"type": "string", "enum": months, "description": "Month to forecast."}}
    fields |= {name: _field(column, name in rules.required) for name, column in rules.columns.items()}
    row = {"type": "object", "required": list(rules.required), "properties": fields, "additionalProperties": False}
    rows = {"type": "array", "items": row, "minItems": 1, "maxItems": MAX_ROWS}
    explain = {"type": "boolean", "default": False, "description": "Adds drivers and past sales to each forecast."}
    properties = {"input_data": rows, "explain": explain}
    return {"type": "object", "required": ["input_data"], "properties": properties, "additionalProperties": False}


def _field(column: Column, required: bool) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": _TYPES[column.type], "description": column.description}
    if column.type == "number":
        limits = {"minimum": -NUMBER_LIMIT, "maximum": NUMBER_LIMIT}
        limits |= {f"exclusive{name.capitalize()}": True for name in limits}
        if column.minimum is not None:
            limits = {**limits, "minimum": column.minimum, "exclusiveMinimum": False}
        schema |= limits
    return schema | ({"minLength": 1} if required else {"nullable": True})


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _forecasts(rules: RequestRules) -> dict[str, Any]:
    text, number = {"type": "string"}, {"type": "number"}
    forecast = _object(
        **dict.fromkeys((name for name in rules.required if name != "MonthYear"), text),
        MonthYear=text,
        TotalSales={**number, "description": "Units, the mean of the forest's trees."},
        P10={**number, "description": "Sales lie below in one month of ten."},
        P90={**number, "description": "Sales lie above in one month of ten."},
        flags={"type": "array", "items": {"type": "string", "enum": ["unknown_store", "no_recent_sales"]}},
    )
    driver = _object(feature=text, units={**number, "description": "Forecast less the one without this feature."})
    past = _object(MonthYear=text, TotalSales=number)
    forecast["properties"] |= {
        "drivers": {"type": "array", "items": driver, "description": "With explain, greatest first."},
        "did_you_mean": {**text, "description": "With unknown_store: the known store that differs in case or blanks."},
        "past": {"type": "array", "items": past, "description": "With explain: this month in earlier years."},
    }
    model = _object(name=text, version=text, known_until={**text, "description": "Last month with known sales."})
    return _object(predictions={"type": "array", "items": forecast}, model=model)


def _error() -> dict[str, Any]:
    row = {"type": "integer", "nullable": True, "description": "0 is the first; null for the body as a whole."}
    fault = {"row": row, "field": {"type": "string", "nullable": True}, "rule": {"type": "string"}}
    first = _object(code={"type": "string"}, message={"type": "string"}, **fault)
    return _object(error=first, errors={"type": "array", "items": _object(**fault)})

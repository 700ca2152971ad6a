"""python -m predict --store S001 --month 2026-12: a forecast of the live endpoint, what it rests on, and the past."""

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from amlspec.errors import UserError
from demand.explain import WORDS
from demand.grain import MODEL_NAME
from pipeline import answers, azml, models

FLAGS = {
    "unknown_store": "this store is not known: the forecast is that of an average one",
    "no_recent_sales": "this store sold nothing in the last year: the forecast rests on little",
}


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m predict", description=__doc__)
    parser.add_argument("--store", required=True, help="StoreID")
    parser.add_argument("--month", required=True, help="YYYY-MM")
    parser.add_argument("--grain", default="store", help="grain of the model: store, category or product")
    parser.add_argument("--set", nargs="*", default=[], metavar="FIELD=VALUE", help="Price=4.5 Promotion=true ...")
    parser.add_argument("--output", choices=("text", "json"), default="text")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Ask and print; exit code 2 where the question is wrong, 1 where the endpoint does not answer."""
    args = build_parser().parse_args(argv)
    try:
        row = {"StoreID": args.store, "MonthYear": args.month, **dict(map(_field, args.set))}
        answer = ask(row, models.endpoint_for(args.grain))
        text = json.dumps(answer, indent=2) if args.output == "json" else "\n".join(lines(answer))
        sys.stdout.write(text + "\n")
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.exit_code
    return 0


def _field(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"{text}: write FIELD=VALUE, such as Price=4.5")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def ask(row: dict[str, Any], endpoint: str = MODEL_NAME) -> dict[str, Any]:
    """The endpoint's answer to one row, with drivers and past. Raises UserError with the endpoint's own words."""
    known = [str(each["name"]) for each in azml.call("online-endpoint", "list") or []]
    if endpoint not in known:
        raise UserError(f"there is no endpoint {endpoint} yet: `make deploy` makes it")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "request.json"
        path.write_text(json.dumps({"input_data": [row], "explain": True}), encoding="utf-8")
        answer = azml.call("online-endpoint", "invoke", name=endpoint, request_file=path)
    # The service's verb prints the body as one JSON text.
    body: dict[str, Any] = answers.parse(answer) if isinstance(answer, str) else answer
    return body


def lines(answer: dict[str, Any]) -> list[str]:
    """What a planner reads."""
    (row,), model = answer["predictions"], answer["model"]
    text = [
        f"Store {', '.join(_key(row))}, {row['MonthYear']}: {row['TotalSales']:,.0f} units",
        f"8 months in 10 lie between {row['P10']:,.0f} and {row['P90']:,.0f}",
        *(f"Note: {FLAGS.get(flag, flag)}" for flag in row["flags"]),
        *([f'Note: did you mean STORE="{row["did_you_mean"]}"?'] if row.get("did_you_mean") else []),
        "",
        "The same month before",
        *([f"  {one['MonthYear']}  {one['TotalSales']:>12,.0f}" for one in row["past"]] or ["  none is known"]),
        "",
        "What moves this forecast (units against not knowing it)",
        *([f"  {one['units']:>+12,.0f}  {_words(one['feature'])}" for one in row["drivers"]] or ["  nothing"]),
        "",
        f"{model['name']} version {model['version']}, sales known until {model['known_until']}",
    ]
    return text


def _key(row: dict[str, Any]) -> list[str]:
    return [str(row[name]) for name in ("StoreID", "Category", "Product") if row.get(name)]


def _words(feature: str) -> str:
    return f"{feature} ({WORDS[feature]})" if feature in WORDS else feature


if __name__ == "__main__":
    raise SystemExit(main())

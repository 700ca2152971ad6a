"""What fakesnow takes and Snowflake refuses, or answers otherwise. Each rule says where it is documented."""

import logging
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

logging.getLogger("sqlglot").setLevel(logging.ERROR)  # it warns of each statement that it keeps as it is
_DOCS = "https://docs.snowflake.com/en/"
_STAGE_DOCS = _DOCS + "user-guide/data-load-local-file-system-create-stage"


@dataclass(frozen=True)
class Rule:
    """`refused`: Snowflake ends the statement with an error; otherwise it answers, but otherwise than fakesnow."""

    name: str
    message: str
    source: str
    refused: bool = True


QUERY_OVER_TABLE_STAGE = Rule(
    "query-over-table-stage",
    "COPY takes no query over a table's stage: put the file into a temporary or user stage",
    _STAGE_DOCS,
)
TABLE_STAGE = Rule(
    "table-stage",
    "PUT, LIST and REMOVE on a table's stage need OWNERSHIP of the table: use a temporary or user stage",
    _STAGE_DOCS,
)
ANY_SCHEMA = Rule(
    "any-schema",
    "this view shows the objects of every schema of the database: add table_schema = current_schema()",
    _DOCS + "sql-reference/info-schema",
    refused=False,
)
FORMATTED_TEXT = Rule(
    "formatted-text",
    "fakesnow 0.12.1 ignores the format of TO_VARCHAR, so no local test sees what it gives: build the text of parts",
    _DOCS + "sql-reference/functions/to_char",
    refused=False,
)
NULL_FIRST = Rule(
    "null-first",
    "where the first value is NULL, Snowflake may give NULL and DuckDB skips the row: write "
    "max_by(x, case when x is not null then t end)",
    _DOCS + "sql-reference/functions/max_by",
    refused=False,
)
FILTER = Rule(
    "filter-clause",
    "an aggregate function has no FILTER clause in Snowflake: write sum(iff(condition, x, null))",
    _DOCS + "sql-reference/functions-aggregation",
)
DISTINCT_ON = Rule(
    "distinct-on",
    "Snowflake knows no DISTINCT ON: write qualify row_number() over (...) = 1",
    _DOCS + "sql-reference/sql/select",
)
FROM_FIRST = Rule("from-first", "a query begins with SELECT or WITH in Snowflake", _DOCS + "sql-reference/sql/select")
DUCKDB_FUNCTION = Rule(
    "duckdb-function", "a function of DuckDB that Snowflake does not have", _DOCS + "sql-reference/functions-all"
)
SYNTAX = Rule("syntax", "not SQL as Snowflake writes it", _DOCS + "sql-reference/sql-all")

_BY_TEXT = (
    (QUERY_OVER_TABLE_STAGE, r"copy\s+into\b[^;]*?\(\s*select\b[^;]*?@[\w.\"]*%"),
    (TABLE_STAGE, r"(?:put|get|list|ls|remove|rm)\s[^;]*?@[\w.\"]*%"),
    (FROM_FIRST, r"from\b"),
)
# Names in DuckDB's catalogue (duckdb_functions()) that Snowflake's list of all functions lacks.
_DUCKDB_ONLY = (
    r"read_parquet|read_csv|read_csv_auto|read_json|parquet_scan|strftime|strptime|epoch_ms|epoch_us|arg_max|arg_min"
    r"|bool_and|bool_or|quantile_cont|quantile_disc|struct_pack|struct_extract|regexp_matches|regexp_extract"
    r"|string_split|str_split|unnest|list_\w+|map_from_entries|parse_filename|try_strptime|make_date|isodow"
)
_DUCKDB_CALL = re.compile(rf"\b(?:{_DUCKDB_ONLY})\s*\(", re.IGNORECASE)
_INFORMATION_SCHEMA = re.compile(r"\binformation_schema\s*\.\s*(?!schemata|databases)\w+", re.IGNORECASE)
_NAMES_SCHEMA = re.compile(r"\b(?:table|constraint|procedure|function|sequence|stage)_schema\b", re.IGNORECASE)
_HIDDEN = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)


def check(sql: str) -> list[tuple[int, Rule]]:
    """Line (from 1) and rule of each fault in `sql`, which may hold several statements."""
    broken: set[tuple[int, str]] = set()
    rules: dict[str, Rule] = {}
    for first, statement in _statements(sql):
        for line, rule in _faults(statement):
            broken.add((first + line, rule.name))
            rules[rule.name] = rule
    return [(line, rules[name]) for line, name in sorted(broken)]


def refusals(sql: str) -> list[Rule]:
    """The rules for which Snowflake would refuse `sql`; syntax is left to whoever runs it."""
    return [rule for _, rule in check(sql) if rule.refused and rule is not SYNTAX]


def _hide(sql: str) -> str:
    """`sql` with comments and the insides of strings blanked; every line keeps its place."""
    return _HIDDEN.sub(lambda match: re.sub(r"[^\n']", " ", match[0]) if match[0][0] == "'" else _blank(match[0]), sql)


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _statements(sql: str) -> Iterator[tuple[int, str]]:
    """Lines before each statement, from 1, and its text."""
    start = 0
    hidden = _hide(sql)
    for end in [*(match.start() for match in re.finditer(";", hidden)), len(sql)]:
        if hidden[start:end].strip():
            begin = start + len(hidden[start:end]) - len(hidden[start:end].lstrip())
            yield sql.count("\n", 0, begin) + 1, sql[begin:end]
        start = end + 1


def _faults(statement: str) -> Iterator[tuple[int, Rule]]:
    """Lines are counted from 0 at the statement's first."""
    hidden = _hide(statement)
    for rule, pattern in _BY_TEXT:
        if re.match(pattern, hidden, re.IGNORECASE):
            yield 0, rule
    for call in _DUCKDB_CALL.finditer(hidden):
        yield hidden.count("\n", 0, call.start()), DUCKDB_FUNCTION
    if (view := _INFORMATION_SCHEMA.search(hidden)) and not _NAMES_SCHEMA.search(hidden):
        yield hidden.count("\n", 0, view.start()), ANY_SCHEMA
    yield from _parsed_faults(statement)


def _parsed_faults(statement: str) -> Iterator[tuple[int, Rule]]:
    try:
        tree = sqlglot.parse_one(statement, read="snowflake")
    except sqlglot.errors.ParseError as error:
        yield max(int(error.errors[0].get("line") or 1) - 1, 0), SYNTAX
        return
    except sqlglot.errors.TokenError:
        yield 0, SYNTAX
        return
    for rule, is_fault in _BY_TREE:
        for node in tree.walk():
            if is_fault(node):
                yield _line(node), rule


def _line(node: exp.Expr) -> int:
    """Where `node` begins, from 0; sqlglot notes it on names only."""
    lines = [int(inner.meta["line"]) for inner in node.walk() if "line" in inner.meta]
    return min(lines) - 1 if lines else 0


def _skips_null(node: exp.Expr) -> bool:
    """MAX_BY or MIN_BY whose order is not itself NULL where the value is."""
    return isinstance(node, exp.ArgMax | exp.ArgMin) and not isinstance(node.expression, exp.Case)


_BY_TREE: tuple[tuple[Rule, Callable[[exp.Expr], bool]], ...] = (
    (FORMATTED_TEXT, lambda node: isinstance(node, exp.ToChar) and node.args.get("format") is not None),
    (NULL_FIRST, _skips_null),
    (FILTER, lambda node: isinstance(node, exp.Filter)),
    (DISTINCT_ON, lambda node: isinstance(node, exp.Distinct) and node.args.get("on") is not None),
)

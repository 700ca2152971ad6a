"""The check of our SQL and connector settings: each fault of the corpus is found on its line, and nothing else."""

import ast
from pathlib import Path

import pytest

from demand.errors import StepError
from sales.snowflake import execute
from sqlcheck import rules, settings, texts
from sqlcheck.__main__ import findings, main
from warehouse.seed import local_session
from warehouse.state import Home
from warehouse_fixtures import REPO, run_sql

HERE = Path(__file__).parent
BAD = sorted((HERE / "bad").glob("*.sql"))
GOOD = sorted((HERE / "good").glob("*.sql"))
# As it stood in our own code: the stage's name comes in through a variable.
PUBLISH = '''
from sales.snowflake import execute
def publish(session, path):
    """Put @%FORECASTS into words."""
    stage = "@%FORECASTS"
    execute(session, f"put 'file://{path}' {stage} overwrite = true", "x")
    execute(session,
        f"copy into FORECASTS (a) from (select $1:a::int from {stage}/{path.name}) "
        "file_format = (type = parquet) purge = true", "x")
    execute(session, "select 1 from information_schema.tables where table_name = 'FORECASTS'", "x")
'''
CONNECT = """
import snowflake.connector
LOGIN = 10
snowflake.connector.connect(login_timeout=LOGIN, network_timeout=60)
options = {"network_timeout": 60, "insecure_mode": True}
snowflake.connector.connect(login_timeout=120, insecure_mode=False, socket_timeout=60)
"""


def faults(source: str) -> list[tuple[int, str]]:
    """Line and name of the SQL faults in a module's text."""
    pieces = texts._of_module(ast.parse(source))
    return sorted((before + line, rule.name) for before, sql in pieces for line, rule in rules.check(sql))


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_each_fault_is_reported_on_its_line_and_nowhere_else(path: Path) -> None:
    line = int(path.read_text().splitlines()[0].rpartition(" ")[2])
    assert {(place, rule.name) for place, rule in findings(path)} == {(line, path.stem)}


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_what_snowflake_takes_is_let_through(path: Path) -> None:
    assert list(findings(path)) == []


def test_every_rule_has_a_statement_that_breaks_it_and_a_source() -> None:
    named = {rule.name: rule for rule in vars(rules).values() if isinstance(rule, rules.Rule)}
    assert set(named) == {path.stem for path in BAD}
    assert [rule for rule in named.values() if not rule.source.startswith("https://docs.snowflake.com/en/")] == []


def test_sql_in_strings_of_a_module_is_checked_though_a_variable_holds_the_stage() -> None:
    assert faults(PUBLISH) == [(6, "table-stage"), (8, "query-over-table-stage"), (10, "any-schema")]


def test_a_module_that_speaks_to_duckdb_alone_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text("import duckdb\nduckdb.sql('select strftime(now(), 1)')\n")
    assert list(findings(path)) == []


def test_a_fault_in_the_query_of_an_import_spec_is_reported_on_its_line(tmp_path: Path) -> None:
    path = tmp_path / "x.yml"
    path.write_text(
        "name: sales\nsource:\n  type: database\n  query: >-\n    select a,\n    strftime(b, '%Y')\n    from t\n"
    )
    assert [(line, rule.name) for line, rule in findings(path)] == [(6, "duckdb-function")]


def test_settings_that_cancel_queries_or_end_a_sign_in_early_are_faults() -> None:
    faults = sorted((line, rule.name) for line, rule in settings.check(ast.parse(CONNECT)))
    assert faults == [(4, "login-timeout"), (4, "network-timeout"), (5, "network-timeout"), (5, "no-ocsp")]


def test_the_command_prints_path_line_and_source(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(HERE / "bad" / "filter-clause.sql")]) == 1
    line = capsys.readouterr().out
    assert line.startswith(f"{HERE}/bad/filter-clause.sql:3: filter-clause: ")
    assert "(https://docs.snowflake.com/" in line
    assert main([str(HERE / "good")]) == 0
    assert main([str(tmp_path / "none")]) == 2


def test_this_repo_breaks_no_rule(capsys: pytest.CaptureFixture[str]) -> None:
    code = main([str(REPO / name) for name in ("ml", "src", "scripts")])
    assert (code, capsys.readouterr().out) == (0, "")


# Syntax is left to fakesnow, which refuses it in its own words.
REFUSED = {rule.name for rule in vars(rules).values() if isinstance(rule, rules.Rule) and rule.refused} - {"syntax"}


@pytest.mark.parametrize("path", [path for path in BAD if path.stem in REFUSED], ids=lambda path: path.stem)
def test_the_local_warehouse_refuses_what_snowflake_refuses(shared_home: Home, path: Path) -> None:
    run_sql(shared_home, "create table if not exists SALES (StoreID varchar, SaleDate date, Quantity int)")
    (sql,) = [sql for _, sql in rules._statements(path.read_text())]
    with (
        local_session(shared_home) as session,
        pytest.raises(StepError, match=rf"Snowflake refuses this \({path.stem}"),
    ):
        execute(session, sql, "x.sql:1")

"""The table of routes: its api-versions are the SDK's, its models exist, and the documentation shows the same table."""

import re
from pathlib import Path

import azure.ai.ml
import pytest

from workspace import bodies, routes, wire_table

ROOT = Path(__file__).parents[2]
SDK = Path(azure.ai.ml.__file__).parent / "_ml_client.py"


def test_the_api_versions_are_those_of_the_sdk() -> None:
    result = set(re.findall(r'api_version="([^"]+)"', SDK.read_text()))
    assert set(routes.VERSIONS) == result


def test_the_table_of_bodies_is_that_of_the_sdks_models() -> None:
    assert bodies._table() == wire_table.table(), "python -m workspace.wire_table writes it anew"


@pytest.mark.parametrize("route", routes.ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_finds_itself_and_its_model_is_known(route: routes.Route) -> None:
    path = re.sub(r"\{(\w+)\*?\}", lambda match: f"x{match[1]}", route.path)
    result = routes.find(route.method, path)
    assert result is not None and result[0] is route
    assert route.model is None or route.model in bodies._table()
    assert routes.about(route).endswith((".", ":"))


def test_the_documentation_shows_every_route() -> None:
    text = (ROOT / "docs/local-workspace.md").read_text()
    assert [
        line for line in text.splitlines() if re.match(r"\| (GET|HEAD|PUT|POST|PATCH|DELETE) ", line)
    ] == routes.rows()

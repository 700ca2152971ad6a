"""A table of a test's own."""

from typing import Any

import pytest
from import_kit import TableMaker

from warehouse.state import Home
from warehouse_fixtures import make_sales


@pytest.fixture
def table(shared_home: Home, shared_env: dict[str, str], request: pytest.FixtureRequest) -> TableMaker:
    """Makes a table of the test's own in the shared warehouse and returns its name."""

    def make(**settings: Any) -> str:
        name = f"T{abs(hash(request.node.nodeid)):x}"
        make_sales(shared_home, name, **settings)
        return name

    return make

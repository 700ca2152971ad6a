"""The gate on real sales: where the contextual forest loses to a naive baseline, it is refused."""

import pytest

from demand.contract import load_contract
from demand.steps import read_rows
from forecasting import evaluate
from forecasting.packing import Packed
from forecasting.prepare import add_features, split
from forecasting.train import Settings, fit
from helpers_sales import CONTRACT, MONTHLY_SQL, SHARED_DATA
from sales.aggregate import aggregate

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SHARED_DATA.is_dir(), reason="no real sales beside this checkout: the gate saw none"),
]


@pytest.fixture(scope="module")
def rossmann(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rossmann")
    sql = MONTHLY_SQL.read_text(encoding="utf-8")
    sales = SHARED_DATA / "rossmann100.parquet"
    aggregate(sales, load_contract(CONTRACT), sql, "store", folder / "monthly", folder / "quarantine")
    return split(add_features(read_rows(folder / "monthly", "monthly.parquet")), 6)


def test_the_contextual_forest_alone_is_refused_on_rossmann(rossmann):
    contextual = Packed(*fit(Settings("contextual", "contextual"), rossmann[0]))
    decision, _, _ = evaluate.evaluate(*rossmann, {"contextual": contextual}, None)
    assert not decision.promoted
    lost = {reason.split(" does not beat ")[1].split(":")[0] for reason in decision.reasons}
    assert lost == {"seasonal_naive", "last_month", "mean_12_months"}


def test_the_history_forest_is_promoted_on_rossmann(rossmann):
    history = Packed(*fit(Settings("history"), rossmann[0]))
    decision, _, _ = evaluate.evaluate(*rossmann, {"history": history}, None)
    assert decision.promoted

"""The candidates and the gate on real sales: what the back-test says of each, and what is refused."""

import pytest

from demand.contract import load_contract
from demand.steps import read_rows
from forecasting import scoring
from forecasting.baselines import NAMES
from forecasting.candidates import Candidate, keyed
from forecasting.features import prepared
from forecasting.forests import Settings
from forecasting.gaps import complete
from forecasting.gate import Gate
from forecasting.recipes import DirectRecipe, ForestRecipe
from forecasting.rolling import Rolling, backtest
from forecasting.scales import Scales
from helpers_sales import CONTRACT, MONTHLY_SQL, SHARED_DATA
from judging.evaluate import decide_on, judge
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
    return prepared(complete(read_rows(folder / "monthly", "monthly.parquet")).rows)


def judged(recipe, rows, tmp_path, features):
    table = keyed(backtest(recipe, rows, Rolling()))
    loaded = {recipe.name: Candidate(tmp_path, {"recipe": recipe.settings(), "features": features}, table)}
    loaded[recipe.name].metadata["candidate"] = recipe.name
    return judge(loaded, None, rows, 12), loaded


def test_the_contextual_forest_alone_is_refused_on_rossmann(rossmann, tmp_path):
    recipe = ForestRecipe("contextual", Settings("contextual", "contextual", n_estimators=20))
    one, loaded = judged(recipe, rossmann, tmp_path, ["StoreID"])
    decision = decide_on(one, loaded, None, Gate())
    assert not decision.promoted
    lost = {reason.split(" does not beat ")[1].split(":")[0].split(" for certain")[0] for reason in decision.reasons}
    assert {"seasonal_naive", "mean_12_months"} <= lost


def test_the_profile_knows_trading_days_and_is_promoted_on_rossmann(rossmann, tmp_path):
    """Without trading days the same profile errs by a quarter more."""
    one, loaded = judged(DirectRecipe("profile"), rossmann, tmp_path, ["StoreID", "MonthYear"])
    assert decide_on(one, loaded, None, Gate()).promoted
    wape = {name: scoring.errors(table).wape for name, table in one.near.items()}
    assert wape["profile"] < 0.034 and wape["profile"] < 0.62 * min(wape[name] for name in NAMES)
    assert scoring.errors(one.tables["profile"]).wape < 0.040
    figures = scoring.figures(one.tables["profile"], Scales.of(rossmann))
    assert 0.70 <= figures.coverage_p10_p90 <= 0.90 and 0.70 <= figures.multi_step_coverage_p10_p90 <= 0.90

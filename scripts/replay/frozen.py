"""What a model that is never trained anew forecasts, from the sales of a later month."""

from pathlib import Path

from demand.direct import load_forecaster
from demand.steps import read_rows
from forecasting.features import prepared, state_of
from forecasting.gaps import complete
from forecasting.packing import read_metadata
from forecasting.panels import Months
from planning.asked import Asked
from planning.batch import asked_rows, table_of


def forecast(model: Path, monthly: Path, month: int, target: Path) -> None:
    """Write the forecasts of one month as the step forecast writes them.

    Args:
        model: folder of the model.
        monthly: output of the aggregate step.
        month: index of the month to forecast.
        target: Parquet file.
    """
    rows = prepared(complete(read_rows(monthly, "monthly.parquet")).rows)
    state = state_of(rows)
    forecaster = load_forecaster(model, read_metadata(model), state, Months.of(rows).panel())
    asked = Asked(max(1, month - state.last_month), {}, "frozen", "1")
    rows_ahead = asked_rows(state, asked.horizon, asked.plan)
    table_of(rows_ahead, forecaster.forecast(rows_ahead), forecaster, asked).to_parquet(target, index=False)

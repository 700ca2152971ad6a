"""What each signal is, in a reader's words, and what to do where it is breached; docs/monitoring.md says more."""

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """A signal's title, how its value is written, and what to do about it."""

    title: str
    form: str
    todo: str


MILLISECONDS = "{:.0f} ms"
PERCENT, COUNT, TIMES, PLAIN = "{:.1%}", "{:.0f}", "{:.2f} x", "{:.2f}"
MODEL = "a retraining run, which has to pass the gate"
UNIT = "look at the import: the unit may have changed"
REGION = "look at the import: a region may be missing or closed"
SERVER = "make status, then az ml online-deployment get-logs; make rollback gives the version before back"
FLAGS = "callers ask for stores that it does not know, or that sold nothing lately: a new model, or a word to them"
WIDER = "expect larger errors: plan with P10 and P90"
WORDS: Mapping[str, Words] = {
    "months_missing": Words("Months of sales that are missing", COUNT, "make import-data; then look at their source"),
    "quarantined": Words("Rows in quarantine", PERCENT, "make open PAGE=data names the rules; mend the source"),
    "stores_silent": Words("Stores that fell silent", PERCENT, REGION),
    "stores_new": Words("Stores never seen before", PERCENT, MODEL),
    "sales_level": Words("Sales over those of the year before, as a logarithm", PLAIN, UNIT),
    "price_level": Words("Prices over those of the year before, as a logarithm", PLAIN, MODEL),
    "sales_psi": Words("Sales: stability index", PLAIN, MODEL),
    "price_shift": Words("Prices: distance from the year before", PLAIN, MODEL),
    "promotion_mix": Words("Promotions: distance from the year before", PLAIN, MODEL),
    "holiday_mix": Words("Holidays: distance from the year before", PLAIN, MODEL),
    "country_mix": Words("Countries of the stores: distance from the year before", PLAIN, MODEL),
    "wape_over_naive": Words("Error over the seasonal naive forecast's", TIMES, MODEL),
    "wape_rise": Words("Error over that of the months before", TIMES, MODEL),
    "bias": Words("Bias", PERCENT, MODEL),
    "outside_interval": Words("Sales outside P10 to P90", PERCENT, MODEL),
    "endpoint_errors": Words("Requests to the endpoint that failed, last day", PERCENT, SERVER),
    "endpoint_p95_ms": Words("Answers of the endpoint, 95th percentile", MILLISECONDS, SERVER),
    "endpoint_flagged": Words("Forecasts of the endpoint with a flag, last day", PERCENT, FLAGS),
    "width_rise": Words("Width of the interval over that of the months before", TIMES, WIDER),
}


def shown(name: str, value: float | None) -> str:
    """A value as it is written."""
    return "-" if value is None else WORDS[name].form.format(value)

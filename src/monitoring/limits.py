"""Limits of the signals, as ml/monitor.yml has them."""

from dataclasses import dataclass

from forecasting.thresholds import Thresholds


@dataclass(frozen=True)
class Limits(Thresholds):
    """A signal is breached above its limit; ml/monitor.yml says what each is."""

    WHAT = "a monitor"
    max_months_missing: float = 0
    max_quarantined: float = 0.005
    max_stores_silent: float = 0.10
    max_stores_new: float = 0.10
    max_sales_level: float = 0.5
    max_price_level: float = 0.2
    max_sales_psi: float = 0.6
    max_price_shift: float = 2.0
    max_promotion_mix: float = 0.6
    max_holiday_mix: float = 0.35
    max_country_mix: float = 0.15
    max_wape_over_naive: float = 1.0
    max_wape_rise: float = 2.0
    max_bias: float = 0.20
    max_outside_interval: float = 0.50
    max_endpoint_errors: float = 0.02
    max_endpoint_p95_ms: float = 2000
    max_endpoint_flagged: float = 0.20
    max_width_rise: float = 1.5

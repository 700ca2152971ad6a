"""The run's report for people; `render` makes the page."""

from forecasting.report.page import render
from forecasting.report.series import SalesSeries, series_of

__all__ = ["SalesSeries", "render", "series_of"]

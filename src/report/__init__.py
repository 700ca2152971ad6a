"""The run's report for people; `render` makes the page."""

from report.page import render
from report.series import SalesSeries, series_of

__all__ = ["SalesSeries", "render", "series_of"]

"""The run's report for people; `render` makes the page."""

from judging.report.page import render
from judging.report.series import SalesSeries, series_of

__all__ = ["SalesSeries", "render", "series_of"]

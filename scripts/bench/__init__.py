"""Measurements side by side in one run: ratios travel, seconds do not."""

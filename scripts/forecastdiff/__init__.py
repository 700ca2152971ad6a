"""What a change does to the forecast: base and work trained on the same sales, their forecasts compared."""

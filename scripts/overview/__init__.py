"""One screen of where everything stands: data, runs, champion, endpoint, forecasts, and what this machine holds."""

"""Pages of what this machine knows: runs, rollouts, data, beside the last run's report and the last explorer."""

"""localml: the verbs of `az ml` on this machine, with no account.

It reads the same YAML as Azure ML and gives the same meaning to it. What it keeps lies under `LOCALML_HOME`.
Beyond one machine nothing is home-made: Snowflake aggregates, Azure ML schedules, AKS serves.
"""

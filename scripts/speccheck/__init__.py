"""Checks every Azure ML spec before it leaves the laptop: `python -m speccheck [PATH...]`."""

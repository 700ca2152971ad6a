"""What `make run-pipeline` needs around `az ml job create`: where a run comes from, and what came out of it."""

"""What this repo would have done with the last months of some sales: each month played by the schedules."""

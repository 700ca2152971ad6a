"""The outside judge: job specs that nobody here wrote, run by the local engine."""

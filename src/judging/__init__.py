"""Judges the candidates and registers the best: the last two steps of ml/pipelines/train.yml, and their report."""

"""Gives the repo to another company and project: names that people read, and those that resources are made of."""

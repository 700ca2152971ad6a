"""Requests become calls of the engine here, and its records the service's answers; one module a topic."""

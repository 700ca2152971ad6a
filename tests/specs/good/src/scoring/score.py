"""A scoring script of the fixture."""


def init() -> None:
    """Load nothing."""


def run(data: str) -> str:
    """Echo."""
    return data

"""The gate of the fixture."""

MAX_WAPE = 0.2


def passes(wape: float) -> bool:
    """Whether a model may be registered."""
    return wape < MAX_WAPE

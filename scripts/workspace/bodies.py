"""Bodies held against azure-ai-ml's generated models: a field that the model does not have is refused by name."""

from typing import Any


def check(model: str, body: Any) -> None:
    """Raises ServiceError (400) that names the first field which `model` does not know."""

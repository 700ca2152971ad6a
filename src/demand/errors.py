"""How a step ends when its user made the mistake: one line that says what is wrong, where, and what to do."""

import logging
import sys
from collections.abc import Callable

USER_ERROR_EXIT = 2


class UserError(Exception):
    """A mistake in the input or the settings; its message is one line for the person who runs the step."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


def run(main: Callable[[], int]) -> int:
    """Run a step's `main` with logging set up.

    Returns what `main` returns, or 2 after a UserError, whose single line goes to stderr. Any other exception is a
    fault of the program: it is not caught, so Python prints its traceback and exits with 1.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stdout)
    # At INFO azure.core logs a dozen lines for each request that it makes.
    logging.getLogger("azure").setLevel(logging.WARNING)
    try:
        return main()
    except UserError as error:
        sys.stdout.flush()
        sys.stderr.write(f"error: {error}\n")
        return USER_ERROR_EXIT

"""How a command ends when its user made the mistake: one line that says what is wrong, where, and what to do."""

import sys
from collections.abc import Callable, Sequence


class UserError(Exception):
    """Ends the command with `error: <message>` on stderr and `exit_code` (2 unless something ran and failed)."""

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def run(main: Callable[[Sequence[str] | None], int]) -> None:
    """Run a command's `main` and exit with its code; a UserError ends with its one line on stderr."""
    try:
        sys.exit(main(None))
    except UserError as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(error.exit_code)

"""Errors that a user can cause: one line that says what is wrong, where, and what to do."""


class UserError(Exception):
    """Ends the command with `error: <message>` on stderr and `exit_code` (2 unless a step ran and failed)."""

    def __init__(self, message: str, exit_code: int = 2) -> None:
        super().__init__(message)
        self.exit_code = exit_code

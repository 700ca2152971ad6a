"""A mistake of the person who runs a step: one line that says what is wrong, where, and what to do."""


class StepError(Exception):
    """A mistake in the input or the settings; its message is one line for the person who runs the step.

    The tools of scripts/ have an error of their own, amlspec.errors.UserError: a step's image holds none of them.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))

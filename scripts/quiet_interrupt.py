"""Ctrl-C while a program of the Makefile starts or ends: no traceback. Imported by localml.pth at every start here.

A program that has something to tidy up catches KeyboardInterrupt itself; what it does not catch ends here in silence,
and Python then ends by the signal, so that the shell and make know of it.
"""

import sys
from types import TracebackType


def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """sys.excepthook that leaves an interrupt unsaid: make says it."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)


sys.excepthook = hook

"""What this machine lacks, said also before the virtual environment exists: the standard library alone."""

import os
import sys
from collections.abc import Sequence

from infra import doctor


def main(words: Sequence[str]) -> int:
    """The doctor's report on ENV, or on the environment after --env."""
    env = os.environ.get("ENV", "local")
    for place, word in enumerate(words):
        if word.startswith("--env"):
            env = word.partition("=")[2] or (words[place + 1] if place + 1 < len(words) else env)
    return doctor.main(["--env", env])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[2:]))

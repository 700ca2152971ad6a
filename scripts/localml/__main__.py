"""`python -m localml`: see cli.py; `python -m localml serve` is `python -m workspace start`, which stands on this."""

import os
import sys

from localml.cli import main

if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        os.execv(sys.executable, [sys.executable, "-m", "workspace", "start", *sys.argv[2:]])  # noqa: S606
    raise SystemExit(main())

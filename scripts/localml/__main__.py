"""`python -m localml`: see cli.py."""

from localml.cli import main

if __name__ == "__main__":
    raise SystemExit(main())

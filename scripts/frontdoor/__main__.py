"""python -m frontdoor VERB: what ./demand and make call."""

import sys

from frontdoor import app

if __name__ == "__main__":
    raise SystemExit(app.main(sys.argv[1:]))

"""The local warehouse: the Snowflake protocol over DuckDB on this machine, and the sales that fill it."""

import sys
from pathlib import Path

# The operators' scripts share the contract and the connection spec's reader with the steps, which live in src/.
_SOURCE = str(Path(__file__).resolve().parents[2] / "src")
if _SOURCE not in sys.path:
    sys.path.append(_SOURCE)

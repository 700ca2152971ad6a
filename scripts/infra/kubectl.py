"""python -m infra.kubectl: the answer of `az aks command invoke` on stdin, as kubectl's own output and exit code.

azure-cli 2.91.0 (acs/custom.py, _print_command_result) returns the answer and 0 as soon as --output is given, whatever
kubectl did.
"""

import json
import sys

from amlspec.errors import UserError, run


def main(_: object = None) -> int:
    """Print the logs; kubectl's exit code. Raises UserError where the answer has none."""
    try:
        code, logs = json.loads(sys.stdin.read())
    except ValueError:
        raise UserError("az aks command invoke gave no exit code of kubectl: az says why above", 1) from None
    sys.stdout.write(f"{(logs or '').rstrip()}\n")
    if code is None:
        raise UserError("az aks command invoke gave no exit code: kubectl may not have run", 1)
    if code:
        raise UserError(f"kubectl ended with exit code {code}: see its output above", 1)
    return 0


if __name__ == "__main__":
    run(main)

#!/usr/bin/env bash
# The steps after `terraform apply` that no resource of the provider covers (scripts/infra/attach.py says which). They may
# run again at any time. `make deploy-infra` calls this with the names that `make outputs-infra` wrote.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
exec "${PYTHON:-$root/.venv/bin/python}" -m infra.attach "$@"

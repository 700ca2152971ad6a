"""python -m infra.instance_types: apply the sizes of pods in ml/deploy/instance-types.yml to the cluster.

They are Kubernetes objects, so neither `az ml` nor Terraform makes them.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from amlspec.errors import run
from infra.cluster import Cluster, kubectl
from infra.common import ROOT, say

SPEC = ROOT / "ml" / "deploy" / "instance-types.yml"


def main(argv: Sequence[str] | None = None) -> int:
    """Print what kubectl said; 0. Raises UserError where it failed or did not run."""
    parser = argparse.ArgumentParser(prog="infra.instance_types", description=__doc__)
    parser.add_argument("--name", required=True, help="the AKS cluster")
    parser.add_argument("--group", required=True, help="its resource group")
    args = parser.parse_args(argv)
    say(kubectl(Cluster(args.name, args.group), f"kubectl apply --filename {SPEC.name}", [SPEC]).rstrip())
    return 0


if __name__ == "__main__":
    run(main)

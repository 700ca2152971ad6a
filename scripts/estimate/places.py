"""Which machines prod trains on, read from Terraform's variables."""

import re

from estimate.settings import Read, Usual

PROD, VARIABLES = "infra/environments/prod.tfvars", "infra/variables.tf"
_SIZE = re.compile(r'^\s*training_vm_size\s*=\s*"(\w+)"', re.MULTILINE)
_NODES = re.compile(r"^\s*training_max_nodes\s*=\s*(\d+)", re.MULTILINE)
_DEFAULT = re.compile(r'variable "training_vm_size" \{.*?default\s*=\s*"(\w+)"', re.DOTALL)


def of_prod(read: Read, usual: Usual) -> Usual:
    """`usual` with the training compute of prod, where Terraform's files name it."""
    given, declared = read(PROD) or "", read(VARIABLES) or ""
    size = _SIZE.search(given) or _DEFAULT.search(declared)
    nodes = _NODES.search(given)
    changed = {"machine": size[1]} if size else {}
    return usual.model_copy(update={**changed, **({"nodes": int(nodes[1])} if nodes else {})})

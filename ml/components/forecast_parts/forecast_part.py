"""Entry script of the parallel component forecast_parts.

A parallel component takes no additional_includes (azure-ai-ml has them for command, Spark and pipeline components
alone), so it runs the packages that the split step ran and left in its output: parts and figures are of one code.
"""

import argparse
import sys
from pathlib import Path

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--everyone", type=Path, required=True)
sys.path.insert(0, str(parser.parse_known_args()[0].everyone / "code"))

from planning.part import init, run  # noqa: E402  not before the path is set

__all__ = ["init", "run"]

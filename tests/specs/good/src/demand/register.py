"""A step of the fixture."""

import argparse

from demand.gate import MAX_WAPE


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=f"Registers below {MAX_WAPE}.")
    parser.add_argument("--model", required=True)
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--report", required=True)
    return parser

"""A step of the fixture."""

import argparse


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sales", required=True)
    parser.add_argument("--months", type=int, default=6)
    parser.add_argument("--grain", choices=["store", "product"])
    parser.add_argument("--contract")
    parser.add_argument("--note")
    parser.add_argument("--train", required=True)
    parser.add_argument("--verbose", action="store_true")
    return parser

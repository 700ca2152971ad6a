"""A step of the fixture."""

import argparse


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    parser.add_argument("--train", required=True)
    parser.add_argument("--fraction", type=float)
    parser.add_argument("--model", required=True)
    return parser

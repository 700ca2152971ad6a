"""Import sales from Snowflake: run the query of a DataImport spec month by month into Parquet + MLTable."""  # noqa: N999

import argparse
from pathlib import Path

from demand.errors import run
from demand.import_sales import Request, import_sales
from demand.snowflake_sign_in import WAYS, WORKLOAD_IDENTITY, sign_in_of


def build_parser() -> argparse.ArgumentParser:
    """The step's flags; ml/components/import.yml passes them."""
    parser = argparse.ArgumentParser(prog="python -m demand.import", description=__doc__)
    parser.add_argument("--connection", type=Path, required=True, help="Snowflake connection spec")
    parser.add_argument("--import-spec", type=Path, required=True, help="DataImport spec with the query")
    parser.add_argument("--contract", type=Path, required=True, help="sales contract")
    parser.add_argument("--sign-in", choices=WAYS, default=WORKLOAD_IDENTITY, help="how to sign in to the warehouse")
    parser.add_argument("--vault-url", help="Key Vault with the private key, for --sign-in key_pair")
    parser.add_argument("--key-name", default="snowflake-private-key", help="secret that holds the PEM private key")
    parser.add_argument("--sales", type=Path, required=True, help="output folder: Parquet files and MLTable")
    parser.add_argument("--staging", type=Path, required=True, help="folder that keeps finished months for a retry")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the step; returns its exit code."""
    options = build_parser().parse_args(argv)
    files = (options.connection, options.import_spec, options.contract)
    sign_in = sign_in_of(options.sign_in, options.vault_url, options.key_name)
    request = Request(*files, options.sales, options.staging, sign_in)

    def work() -> int:
        import_sales(request)
        return 0

    return run(work)


if __name__ == "__main__":
    raise SystemExit(main())

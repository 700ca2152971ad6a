"""python -m checks MAKE NAME...: run `make check-NAME` side by side, and print what each found in the order given.

Make's own -j would mix their lines, and its --output-sync is missing in the make that macOS brings.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor


def main(make: str, *names: str) -> int:
    """Findings to stdout, what else a check says to stderr. Returns 1 where one of them failed."""
    failed = False
    with ThreadPoolExecutor(len(names) or 1) as pool:
        for done in pool.map(lambda name: _run(make, name), names):
            sys.stdout.write(done.stdout)
            said = (line for line in done.stderr.splitlines(keepends=True) if not line.startswith("make"))
            sys.stderr.writelines(said)
            sys.stdout.flush()
            failed = failed or done.returncode != 0
    return int(failed)


def _run(make: str, name: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([make, f"check-{name}"], capture_output=True, text=True, check=False)


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))

"""A stand-in for `az ml` that is the local engine with faults: fails or kills its caller at chosen calls.

AZ_FAULTS names a JSON file {"faults": [{"match", "nth", "times", "do"}], "log": path}: from the `nth` call (from 1)
whose words contain `match`, `times` times (0: for good), `do` one of fail (before it has any effect), lose (after it
had its effect), kill-before, kill-after (SIGKILL to the rollout). Every call is logged as one JSON line. It stays
beside the workspace's faults because a rollout has some forty calls, each of which takes longer through the SDK.
"""

import json
import os
import signal
import sys
from pathlib import Path

from localml import cli


def main() -> int:
    """Run one call."""
    plan = json.loads(Path(os.environ["AZ_FAULTS"]).read_text())
    words, log = " ".join(sys.argv[1:]), Path(plan["log"])
    before = [json.loads(line)["words"] for line in log.read_text().splitlines()] if log.exists() else []
    with log.open("a") as stream:
        stream.write(json.dumps({"words": words}) + "\n")
    do = next((fault["do"] for fault in plan["faults"] if _strikes(fault, words, before)), None)
    if do == "fail":
        return _broken()
    if do == "kill-before":
        os.kill(os.getppid(), signal.SIGKILL)
        return 1
    code = cli.main(sys.argv[1:])
    if do == "kill-after":
        os.kill(os.getppid(), signal.SIGKILL)
    return _broken() if do == "lose" else code


def _strikes(fault: dict[str, object], words: str, before: list[str]) -> bool:
    match, nth, times = str(fault["match"]), int(str(fault["nth"])), int(str(fault["times"]))
    number = sum(match in each for each in before) + 1
    return match in words and number >= nth and (times == 0 or number < nth + times)


def _broken() -> int:
    sys.stderr.write("ERROR: (ServiceUnavailable) the gateway did not answer\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Says at the end of a rollout what became of it, by a webhook: a channel of Teams or Slack, or any that takes JSON.

Its address is a secret to whoever may post there, so that it comes by the environment and stands in no file.
"""

import json
import os
import sys
import urllib.error
import urllib.request

TIMEOUT_SECONDS = 10.0


def post(variable: str, text: str) -> None:
    """POST {"text": ...} to the address in an environment variable; nothing where there is none.

    A message that does not arrive is a warning: the rollout has ended whatever the channel says.
    """
    address = os.environ.get(variable, "") if variable else ""
    if not address:
        return
    if not address.startswith(("https://", "http://127.0.0.1:")):
        sys.stderr.write(f"warning: {variable} is not an https address: nobody was notified\n")
        return
    request = urllib.request.Request(  # noqa: S310
        address, json.dumps({"text": text}).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS):  # noqa: S310
            pass
    except (urllib.error.URLError, TimeoutError) as error:
        # The error's own words may hold the address.
        reason = f"HTTP {error.code}" if isinstance(error, urllib.error.HTTPError) else type(error).__name__
        sys.stderr.write(f"warning: nobody was notified of the rollout: {variable}: {reason}\n")

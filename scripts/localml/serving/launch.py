"""Start azureml-inference-server-http on loopback. The interpreter of the deployment's environment runs this file."""

import ctypes
import os
import signal
import sys

from azureml_inference_server_http import constants


def _die_with_parent() -> None:
    """A worker must not outlive a server that was killed. PR_SET_PDEATHSIG is 1."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def main() -> None:
    """Run the server until it is told to stop."""
    constants.DEFAULT_HOST = "127.0.0.1"  # it would listen on every interface, and has no flag for that
    if sys.platform == "linux":
        os.register_at_fork(after_in_child=_die_with_parent)
    from azureml_inference_server_http import amlserver  # noqa: PLC0415 - copies the constant when it is imported

    amlserver.run()


if __name__ == "__main__":
    main()

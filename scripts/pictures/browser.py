"""A page in headless Chromium, driven by the DevTools protocol over a pipe: no driver, no port, no package."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run", "--mute-audio")
KEYS = {"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Tab": 9, "Enter": 13, "End": 35, "Home": 36}


class BrowserError(RuntimeError):
    """The browser is missing or has ended, or a script in a page failed."""


def executable() -> str | None:
    """Path of the browser, or None where there is none."""
    return next((path for path in map(shutil.which, NAMES) if path), None)


class Page:
    """One tab. `events` are the notifications that came in meanwhile."""

    def __init__(self, sender: Any, receiver: Any) -> None:
        self._sender, self._receiver, self._last, self._session = sender, receiver, 0, None
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of a command."""
        self._last += 1
        message = {"id": self._last, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._sender.write(json.dumps(message).encode() + b"\0")
        self._sender.flush()
        while True:
            answer = self._read()
            if answer.get("id") == self._last:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                return dict(answer["result"])
            self.events.append(answer)

    def _read(self) -> dict[str, Any]:
        text = bytearray()
        while (byte := self._receiver.read(1)) != b"\0":
            if not byte:
                raise BrowserError("the browser ended")
            text += byte
        return dict(json.loads(text))

    def open(self, path: Path, width: int = 1100, height: int = 900, scheme: str = "light") -> None:
        """Load a file at a size and in a colour scheme."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.scheme(scheme)
        self.events.clear()
        self.call("Page.navigate", url=path.as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._read())

    def scheme(self, name: str) -> None:
        """light or dark."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def run(self, script: str) -> Any:
        """Value of an expression; a promise is awaited."""
        result = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise BrowserError(str(result["exceptionDetails"]))
        return result["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key where the focus is."""
        text = {"text": "\r"} if key == "Enter" else {}
        for kind, more in (("keyDown", text), ("keyUp", {})):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=KEYS[key], **more)

    def requests(self) -> list[str]:
        """Addresses that the page asked for since it was opened."""
        sent = [event for event in self.events if event.get("method") == "Network.requestWillBeSent"]
        return [event["params"]["request"]["url"] for event in sent]

    def faults(self) -> list[str]:
        """Exceptions of the page's scripts since it was opened."""
        thrown = [event for event in self.events if event.get("method") == "Runtime.exceptionThrown"]
        return [str(event["params"]["exceptionDetails"]) for event in thrown]


@contextmanager
def page(profile: Path) -> Iterator[Page]:
    """A page of a browser that keeps its profile in a folder and ends with the block."""
    program = executable()
    if program is None:
        raise BrowserError("no Chromium on PATH")
    to_browser, from_browser = os.pipe(), os.pipe()
    # The protocol reads descriptor 3 and writes 4.
    wired = f'exec 3<&{to_browser[0]} 4>&{from_browser[1]}; exec "$@"'
    command = ["bash", "-c", wired, "bash", program, *FLAGS, f"--user-data-dir={profile}"]
    running = subprocess.Popen(
        command, pass_fds=(to_browser[0], from_browser[1]), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(to_browser[0])
    os.close(from_browser[1])
    try:
        with os.fdopen(to_browser[1], "wb") as sender, os.fdopen(from_browser[0], "rb") as receiver:
            yield Page(sender, receiver)
    finally:
        running.terminate()
        running.wait(timeout=30)

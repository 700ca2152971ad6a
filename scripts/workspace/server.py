"""The server: TLS on loopback, bodies taken in, answers given out, one line a request in the access log."""

import asyncio
import errno
import json
import logging
import shutil
import signal
import ssl
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from host import daemon
from host.state import home, write_json
from workspace import blobs, certificates, gate, site
from workspace.faults import Faults, Rule
from workspace.messages import Answer, Request, ServiceError
from workspace.site import Site

HOST = "127.0.0.1"
_JSON_BYTES = 16 << 20
_CHUNK = 1 << 20
# Of an upload that a test cuts off so much is read.
_CUT_AFTER = 1 << 16
log = logging.getLogger("workspace")


class Server:
    """Serves one workspace."""

    def __init__(self, served: Site) -> None:
        self.site = served
        self.faults = Faults(served.folder / "faults.json")

    async def handle(self, incoming: web.BaseRequest) -> web.StreamResponse:
        """One request, from its headers to the end of its answer."""
        started = time.monotonic()
        path = incoming.rel_url.raw_path
        rule = self.faults.of(incoming.method, path)
        if rule and rule.seconds:
            write_json(self.site.folder / "held.json", {"method": incoming.method, "path": path})
            await asyncio.sleep(rule.seconds)
        given = await self._given(incoming, path, rule)
        if given is None:
            response = _cut(incoming)
        else:
            response = await _send(incoming, given)
        self._note(incoming, path, response.status, time.monotonic() - started)
        return response

    async def _given(self, incoming: web.BaseRequest, path: str, rule: Rule | None) -> Answer | None:
        """The answer, or a fault in its place; None where the connection is to be cut."""
        if rule and rule.is_fault and not rule.after:
            await incoming.content.read(_CUT_AFTER)
            return rule.answer()
        result = gate.find(self.site, incoming.method, path, incoming.rel_url.query, incoming.headers)
        given = result if isinstance(result, Answer) else await self._answer(incoming, path, result)
        return rule.answer() if rule and rule.is_fault else given

    async def _answer(self, incoming: web.BaseRequest, path: str, request: Request) -> Answer:
        route = gate.route_of(incoming.method, path)
        request = replace(request, host=incoming.host)
        if not route.streams:
            raw = await _read(incoming)
            return (
                raw if isinstance(raw, Answer) else await asyncio.to_thread(gate.answer, self.site, route, request, raw)
            )
        scratch = blobs.scratch(self.site)
        try:
            if refused := await _receive(incoming, scratch):
                return gate.refused(incoming.method, route.path, refused)
            return await asyncio.to_thread(gate.answer, self.site, route, replace(request, file=scratch), b"")
        finally:
            scratch.unlink(missing_ok=True)

    def _note(self, incoming: web.BaseRequest, path: str, status: int, seconds: float) -> None:
        """Queries carry signatures, so of them only the api-version is noted."""
        line: Mapping[str, object] = {
            "time": time.time(),
            "method": incoming.method,
            "path": path,
            "version": incoming.rel_url.query.get("api-version"),
            "status": status,
            "ms": round(seconds * 1000, 1),
        }
        with (self.site.folder / "access.log").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")


def _cut(incoming: web.BaseRequest) -> web.StreamResponse:
    """End the connection without an answer."""
    if incoming.transport is not None:
        incoming.transport.abort()
    return web.Response(status=500)


async def _read(incoming: web.BaseRequest) -> bytes | Answer:
    raw = await incoming.content.read(_JSON_BYTES + 1)
    while len(raw) <= _JSON_BYTES and (more := await incoming.content.read(_JSON_BYTES)):
        raw += more
    if len(raw) <= _JSON_BYTES:
        return raw
    return ServiceError(413, "RequestTooLarge", f"The body is larger than {_JSON_BYTES} bytes.").answer()


async def _receive(incoming: web.BaseRequest, target: Path) -> ServiceError | None:
    """Write a body to a file. What would not fit is refused before it is read, where the client says its length."""
    if (incoming.content_length or 0) > shutil.disk_usage(target.parent).free:
        return gate.full()
    try:
        with target.open("wb") as stream:
            async for chunk in incoming.content.iter_chunked(_CHUNK):
                await asyncio.to_thread(stream.write, chunk)
    except OSError as error:
        if isinstance(error, ConnectionError):
            raise
        return gate.full()
    return None


async def _send(incoming: web.BaseRequest, given: Answer) -> web.StreamResponse:
    headers = {"x-ms-request-id": f"{time.time_ns():x}", "Content-Type": given.content_type, **given.headers}
    if given.file is None:
        return web.Response(status=given.status, body=given.content(), headers=headers)
    if incoming.method == "HEAD":
        headers["Content-Length"] = str(given.file.stat().st_size)
        return web.Response(status=given.status, headers=headers)
    return web.FileResponse(given.file, status=given.status, headers=headers, chunk_size=_CHUNK)


async def serve(port: int) -> None:
    """Serve until a signal ends it; the port is announced once it listens."""
    files = certificates.ensure(site.folder())
    bound = _Bound(certificates.context(files), port)
    await bound.start()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    daemon.announce(site.folder() / "server.json", bound.port)
    await stop.wait()
    await bound.runner.cleanup()


class _Bound:
    """A server on its port; the port is known only once it listens, and the site's addresses hold it."""

    def __init__(self, context: ssl.SSLContext, port: int) -> None:
        self.context = context
        self.port = port
        self.server: Server | None = None
        self.runner = web.ServerRunner(web.Server(self._handle, access_log=None))

    async def start(self) -> None:
        await self.runner.setup()
        listening = web.TCPSite(self.runner, HOST, self.port, ssl_context=self.context)
        await listening.start()
        self.port = self.runner.addresses[0][1]
        self.server = Server(site.load(self.port))

    async def _handle(self, incoming: web.BaseRequest) -> web.StreamResponse:
        while self.server is None:
            await asyncio.sleep(0.01)
        return await self.server.handle(incoming)


def main(argv: list[str] | None = None) -> int:
    """python -m workspace.server PORT: the process of the daemon; 0 takes any port."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    home()
    port = int((sys.argv[1:] if argv is None else argv)[0])
    try:
        asyncio.run(serve(port))
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        sys.stderr.write(f"port {port} is in use: give another, make workspace PORT=<port>\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

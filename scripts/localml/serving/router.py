"""The router of one endpoint: `python -m localml.serving.router <folder>`.

It owns the server processes of the endpoint's deployments, keeps them as the files of the folder say, and gives each
request to one of them: by traffic, or by the header `azureml-model-deployment`.
"""

import asyncio
import hmac
import json
import logging
import os
import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from host import daemon
from host.daemon import Server
from host.state import read_json
from localml.serving.fleet import Fleet
from localml.serving.minutes import Minutes
from localml.serving.pool import BusyError, Group
from localml.serving.replica import Replica
from localml.serving.store import HOST

log = logging.getLogger("localml.router")
HEADER = "azureml-model-deployment"
# Above the scoring script's own 10 MB, so that its answer names the rule; this one keeps the router itself small.
MAX_BODY = 16 << 20
_CONNECT_SECONDS = 2.0
_FOLDER_SECONDS = 1.0
_TRIES = 5
_PASSED_ON = ("content-type", "content-encoding", "retry-after", "allow")


class Router:
    """Answers callers (/score, /swagger.json) and the verbs (/-/...)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fleet = Fleet(folder)
        self.minutes = Minutes(folder)
        self.client = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            timeout=aiohttp.ClientTimeout(sock_connect=_CONNECT_SECONDS),
            auto_decompress=False,
        )

    def application(self) -> web.Application:
        """Routes of the endpoint."""
        app = web.Application(client_max_size=MAX_BODY, middlewares=[_json_errors])
        app.router.add_get("/", self.alive)
        app.router.add_route("*", "/score", self.score)
        app.router.add_get("/swagger.json", self.score)
        app.router.add_get("/-/status", self.status)
        app.router.add_post("/-/sync", self.sync)
        return app

    async def alive(self, _: web.Request) -> web.Response:
        """For whoever looks whether the router lives."""
        return web.json_response({"pid": os.getpid()})

    async def status(self, request: web.Request) -> web.Response:
        """What each deployment does."""
        self._allow(request, "control")
        self.minutes.write()
        return web.json_response(self.fleet.shown())

    async def sync(self, request: web.Request) -> web.Response:
        """Read the files again; returns when traffic follows them, while servers may still start or drain."""
        self._allow(request, "control")
        self.fleet.apply()
        return web.json_response(self.fleet.shown())

    async def score(self, request: web.Request) -> web.Response:
        """One request of a caller."""
        self._allow(request, "primaryKey", "secondaryKey")
        body = await request.read()
        # From here to `pending` nothing may wait: a deployment that drains must know of every request it was given.
        group = self._choose(request.headers.get(HEADER))
        group.pending += 1
        group.counts["requests"] += 1
        began = time.monotonic()
        try:
            answer = await self._forward(group, request, body)
        finally:
            group.pending -= 1
        if answer.status >= 500:
            group.counts["server_errors"] += 1
        self.minutes.add(group.name, time.monotonic() - began, answer.status >= 500)
        answer.headers[HEADER] = group.name
        return answer

    def _allow(self, request: web.Request, *names: str) -> None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        known = [self.fleet.keys[name] for name in names]
        # Every key is compared, so that the time taken tells nothing.
        matches = [hmac.compare_digest(given.strip().encode(), key.encode()) for key in known]
        if scheme.lower() != "bearer" or not any(matches):
            message = "no valid key: send `Authorization: Bearer <key>`"
            raise _error(401, "unauthorized", message, {"WWW-Authenticate": "Bearer"})

    def _choose(self, named: str | None) -> Group:
        if named is not None:
            group = self.fleet.groups.get(named)
            if group is None:
                raise _error(404, "no_such_deployment", f"{HEADER}: no deployment {named} serves here")
            return group
        shares = {name: share for name, share in self.fleet.traffic.items() if share > 0}
        if not shares:
            raise _error(404, "no_traffic", "no deployment of this endpoint has traffic")
        group = self.fleet.groups.get(random.choices(list(shares), list(shares.values()))[0])
        if group is None:
            raise _error(503, "starting", "the deployment does not serve yet", {"Retry-After": "1"})
        return group

    async def _forward(self, group: Group, request: web.Request, body: bytes) -> web.Response:
        """Give the request to a replica; to another one where a connection was refused, since then none has seen it.

        A request whose server broke off is not sent again: what killed one server would kill the next.
        """
        for _ in range(_TRIES):
            try:
                replica = await group.acquire()
            except BusyError as error:
                group.counts["refused"] += 1
                raise _error(503, "busy", f"{error}; try again", {"Retry-After": "1"}) from None
            try:
                return await asyncio.wait_for(self._send(replica, request, body), group.serve.timeout_seconds)
            except aiohttp.ClientConnectorError:
                replica.suspect()
            except TimeoutError:
                text = f"no answer within {group.serve.timeout_seconds * 1000:.0f} ms"
                return _response(504, "timeout", text)
            except (aiohttp.ClientError, OSError) as error:
                replica.suspect()
                return _response(502, "bad_gateway", f"the server broke off: {type(error).__name__}")
            finally:
                group.release(replica)
        return _response(502, "bad_gateway", "no replica takes connections")

    async def _send(self, replica: Replica, request: web.Request, body: bytes) -> web.Response:
        url = f"http://{HOST}:{replica.port}{request.path_qs}"
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _NOT_SENT}
        sent = self.client.request(request.method, url, data=body or None, headers=headers, allow_redirects=False)
        async with sent as answer:
            kept = {
                name: value
                for name, value in answer.headers.items()
                if name.lower() in _PASSED_ON or name.lower().startswith("x-")
            }
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)


# Hop-by-hop headers, and the caller's key, which the model must not see.
_NOT_SENT = frozenset("host authorization connection keep-alive transfer-encoding content-length expect te".split())  # noqa: SIM905


def _body(code: str, message: str) -> str:
    return json.dumps({"error": {"code": code, "message": message}})


def _response(status: int, code: str, message: str) -> web.Response:
    return web.Response(status=status, text=_body(code, message), content_type="application/json")


def _error(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> web.HTTPException:
    kinds = {401: web.HTTPUnauthorized, 404: web.HTTPNotFound, 503: web.HTTPServiceUnavailable}
    return kinds[status](text=_body(code, message), content_type="application/json", headers=headers)


@web.middleware
async def _json_errors(request: web.Request, handler: Any) -> web.StreamResponse:
    """Errors of the HTTP layer itself, in the same shape as ours."""
    try:
        answer: web.StreamResponse = await handler(request)
        return answer
    except web.HTTPRequestEntityTooLarge:
        return _response(413, "too_large", f"a request has at most {MAX_BODY >> 20} MB: send fewer rows")
    except web.HTTPException as error:
        if error.content_type == "application/json":
            raise
        return _response(error.status, "http", error.reason)


async def serve(folder: Path) -> None:
    """Serve until SIGTERM or SIGINT; then drain and end every server."""
    router = Router(folder)
    runner = web.AppRunner(router.application(), access_log=None, keepalive_timeout=75)
    await runner.setup()
    port = await _listen(runner, int(read_json(folder / "endpoint.json").get("port") or 0))
    router.fleet.apply()
    daemon.announce(folder / "router.json", port)
    server = daemon.read(folder / "router.json")
    log.info("router of %s: pid %d, port %d", folder.name, os.getpid(), port)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    leaving = asyncio.create_task(_until_removed(folder, server, stop))
    await stop.wait()
    leaving.cancel()
    router.minutes.write()
    await runner.cleanup()
    await router.fleet.stop()
    await router.client.close()


async def _until_removed(folder: Path, server: Server | None, stop: asyncio.Event) -> None:
    """Stop once the folder no longer names this router: `rm -rf .localml` must not leave servers behind."""
    while daemon.read(folder / "router.json") == server is not None:
        await asyncio.sleep(_FOLDER_SECONDS)
    log.warning("%s no longer names this router: it ends", folder / "router.json")
    stop.set()


async def _listen(runner: web.AppRunner, wanted: int) -> int:
    """The endpoint's own port; another where something else has taken it meanwhile."""
    for port in dict.fromkeys((wanted, 0)):
        site = web.TCPSite(runner, HOST, port, backlog=1024)
        try:
            await site.start()
        except OSError as error:
            log.warning("port %d is taken (%s)", port, error.strerror)
            continue
        return int(runner.addresses[0][1])
    raise OSError("no port of loopback is free")


def main() -> int:
    """Run the router of the folder that the command line names."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)
    os.umask(0o077)
    asyncio.run(serve(Path(sys.argv[1])))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

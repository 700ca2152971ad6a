"""One comment of a pull request, written once and then updated in place, over the REST API's shapes."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from agent import comment
from amlspec.errors import UserError


class Server(ThreadingHTTPServer):
    """Threads of one pull request, as the service keeps them."""

    threads: list[dict[str, Any]]
    calls: list[tuple[str, str, str | None]]
    refuses: int | None


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_: Any) -> None:
        pass

    def _body(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"null")

    def _answer(self, data: Any, code: int = 200) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(data).encode())

    def _noted(self) -> bool:
        self.server.calls.append((self.command, self.path, self.headers["Authorization"]))
        if self.server.refuses:
            self._answer(
                {"message": "TF401027: You need the Git 'PullRequestContribute' permission"}, self.server.refuses
            )
        return bool(self.server.refuses)

    def do_GET(self) -> None:
        if not self._noted():
            self._answer({"value": self.server.threads})

    def do_POST(self) -> None:
        body = self._body()
        if not self._noted():
            number = len(self.server.threads) + 1
            # The service gives a property back with its type beside it.
            properties = {key: {"$type": "System.String", "$value": value} for key, value in body["properties"].items()}
            comments = [{**each, "id": 1} for each in body["comments"]]
            self.server.threads.append({"id": number, "comments": comments, "properties": properties})
            self._answer(self.server.threads[-1])

    def do_PATCH(self) -> None:
        body = self._body()
        if not self._noted():
            number = int(self.path.split("/threads/")[1].split("/")[0])
            self.server.threads[number - 1]["comments"][0] |= body
            self._answer({})


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server(("127.0.0.1", 0), Handler)
    made.threads, made.calls, made.refuses = [{"id": 1, "comments": [{"id": 1, "content": "a person's"}]}], [], None
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def environ(server: Server) -> dict[str, str]:
    return {
        "SYSTEM_ACCESSTOKEN": "the-token",
        "SYSTEM_COLLECTIONURI": f"http://127.0.0.1:{server.server_port}/",
        "SYSTEM_TEAMPROJECT": "coffee demand",
        "BUILD_REPOSITORY_ID": "repo-1",
        "SYSTEM_PULLREQUEST_PULLREQUESTID": "17",
    }


def test_a_second_run_changes_the_comment_of_the_first(server: Server) -> None:
    assert comment.post("one", "review", environ(server)) == "the comment is written"
    assert comment.post("other", "plan", environ(server)) == "the comment is written"
    assert comment.post("two", "review", environ(server)) == "the comment is updated"
    assert [each["comments"][0]["content"] for each in server.threads] == ["a person's", "two", "other"]
    paths = {path.partition("?")[0].partition("/threads")[0] for _, path, _ in server.calls}
    assert paths == {"/coffee%20demand/_apis/git/repositories/repo-1/pullRequests/17"}
    assert {token for _, _, token in server.calls} == {"Bearer the-token"}


def test_a_long_report_is_cut_and_says_so(server: Server) -> None:
    comment.post("line\n" * 60_000, "review", environ(server))
    content = server.threads[-1]["comments"][0]["content"]
    assert len(content) < comment.LONGEST + 200
    assert content.endswith("the whole report is the run's artifact `review`.*\n")


@pytest.mark.parametrize("code", [401, 403, 500])
def test_a_refusal_says_what_to_grant_and_never_the_token(code: int, server: Server) -> None:
    server.refuses = code
    with pytest.raises(UserError) as error:
        comment.post("x", "review", environ(server))
    assert f"the pull request takes no comment: {code} TF401027" in str(error.value)
    assert ("Contribute to pull requests" in str(error.value)) == (code != 500)
    assert "the-token" not in str(error.value)


def test_outside_of_a_pull_request_nothing_is_posted(server: Server) -> None:
    assert comment.post("x", "review", {}) == "no pull request: nothing is commented"
    with pytest.raises(UserError, match="SYSTEM_ACCESSTOKEN is not set: a step maps it"):
        comment.post("x", "review", {**environ(server), "SYSTEM_ACCESSTOKEN": ""})
    assert server.calls == []

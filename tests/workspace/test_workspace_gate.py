"""Who gets in, and what is refused by name: tokens, signatures, names, routes, api-versions, fields, sizes."""

import json
import shutil
import socket
import ssl
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
import pytest

from workspace import tokens

pytestmark = pytest.mark.slow

CODE = "/codes/abc/versions/1"


def error(response: Any, status: int) -> str:
    """The message of an error in the service's shape."""
    assert response.status_code == status, response.text
    result = response.json()["error"]
    assert set(result) == {"code", "message", "details", "additionalInfo"}
    assert response.headers["x-ms-error-code"] == result["code"]
    return f"{result['code']}: {result['message']}"


@pytest.fixture(scope="module")
def upload(workspace: Any) -> Any:
    """A place for an upload, with its signature."""
    response = workspace.arm("POST", f"{CODE}/startPendingUpload", {"pendingUploadType": "TemporaryBlobReference"})
    return urlsplit(response.json()["blobReferenceForConsumption"]["credential"]["sasUri"])


def put(workspace: Any, upload: Any, name: str, body: bytes = b"x", query: str | None = None, **headers: str) -> Any:
    """Upload a blob, signed and without a token."""
    signed = upload.query if query is None else query
    return workspace.request(
        "PUT", f"{upload.path}/{name}?{signed}", body, Authorization="", x_ms_blob_type="BlockBlob", **headers
    )


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x.y.z", "Basic abc", "Bearer null"])
def test_a_wrong_token_is_401(workspace: Any, header: str) -> None:
    response = workspace.request("GET", f"{workspace.id}?api-version=2024-10-01-preview", Authorization=header)
    assert error(response, 401).startswith("InvalidAuthenticationToken")


def test_a_token_that_another_signed_is_401(workspace: Any) -> None:
    claims = jwt.decode(workspace.token, options={"verify_signature": False})
    forged = [jwt.encode(claims, "guessed" * 8, algorithm="HS256"), jwt.encode(claims, None, algorithm="none")]
    for token in forged:
        response = workspace.request("GET", workspace.id, Authorization=f"Bearer {token}")
        assert response.status_code == 401


def test_a_token_that_has_ended_is_401(workspace: Any) -> None:
    secret = json.loads((workspace.home / "workspace" / "secrets.json").read_text())["signing"]
    claims = jwt.decode(workspace.token, options={"verify_signature": False})
    old = jwt.encode({**claims, "exp": int(time.time()) - 1}, secret, algorithm="HS256")
    assert workspace.request("GET", workspace.id, Authorization=f"Bearer {old}").status_code == 401


def test_no_token_without_the_identitys_secret(workspace: Any) -> None:
    path = "/identity/token?api-version=2019-08-01&resource=x"
    assert workspace.request("GET", path, X_IDENTITY_HEADER="guessed").status_code == 401
    assert workspace.request("GET", path).status_code == 401


def test_secrets_are_read_by_their_owner_only(workspace: Any) -> None:
    for name in ("secrets.json", "server.key", "env.sh"):
        assert (workspace.home / "workspace" / name).stat().st_mode & 0o077 == 0


def test_no_secret_stands_in_a_log_or_in_a_process(workspace: Any, upload: Any) -> None:
    put(workspace, upload, "logged.txt")
    secrets = json.loads((workspace.home / "workspace" / "secrets.json").read_text())
    signature = parse_qs(upload.query)["sig"][0]
    logs = workspace.log() + (workspace.home / "workspace" / "access.log").read_text()
    pid = json.loads((workspace.home / "workspace" / "server.json").read_text())["pid"]
    words = Path(f"/proc/{pid}/cmdline").read_text() if Path("/proc").is_dir() else ""
    assert "logged.txt" in logs
    for secret in (*secrets.values(), signature, signature.replace("+", "%2B")):
        assert secret not in logs + words


def test_it_listens_on_loopback_only(workspace: Any) -> None:
    port = urlsplit(workspace.url).port
    addresses = {each[4][0] for each in socket.getaddrinfo(socket.gethostname(), port, socket.AF_INET)}
    for address in addresses - {"127.0.0.1"}:
        if address.startswith("127."):
            continue
        with pytest.raises(OSError), socket.create_connection((address, port), timeout=2):
            pass


def test_another_ca_is_not_believed(workspace: Any) -> None:
    port = urlsplit(workspace.url).port
    trust = ssl.create_default_context()
    with socket.create_connection(("127.0.0.1", port)) as raw, pytest.raises(ssl.SSLCertVerificationError):
        trust.wrap_socket(raw, server_hostname="127.0.0.1")


def test_an_unknown_route_is_refused_and_named_in_the_log(workspace: Any) -> None:
    message = error(workspace.arm("GET", "/batchEndpoints"), 400)
    assert "GET" in message and "batchEndpoints is not imitated" in message
    assert "batchEndpoints is not imitated" in workspace.log()


def test_an_unknown_api_version_is_refused_with_those_that_are_known(workspace: Any) -> None:
    message = error(workspace.arm("GET", "/jobs", version="2031-01-01"), 400)
    assert "InvalidApiVersionParameter" in message and "'2031-01-01'" in message and "2024-01-01-preview" in message
    assert "2031-01-01" in workspace.log()


def test_an_unknown_field_is_refused_with_its_path(workspace: Any) -> None:
    body = {"properties": {"image": "x", "build": {"contextUri": "y", "colour": "red"}}}
    message = error(workspace.arm("PUT", "/environments/e/versions/1", body), 400)
    assert "Could not find member 'colour' on object of type 'BuildContext'. Path 'properties.build.colour'" in message
    assert "properties.build.colour" in workspace.log()


def test_a_kind_of_job_that_is_not_imitated_is_refused_by_name(workspace: Any) -> None:
    response = workspace.arm("PUT", "/jobs/a", {"properties": {"jobType": "Spark"}}, "2024-01-01-preview")
    assert "properties.jobType: 'Spark' is not imitated here: Command, Pipeline" in error(response, 400)


@pytest.mark.parametrize("body", [b"{", b"[1]", b"null", b'{"properties": []}', b"\xff"])
def test_a_body_that_is_not_what_it_should_be_is_400(workspace: Any, body: bytes) -> None:
    response = workspace.request("PUT", f"{workspace.id}/environments/e/versions/1?api-version=2023-04-01", body)
    assert response.status_code == 400


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("/subscriptions/11111111-0000-0000-0000-000000000000/resourceGroups/local", "SubscriptionNotFound"),
        ("/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/other", "ResourceGroupNotFound"),
    ],
)
def test_another_place_is_not_found_in_resource_managers_words(workspace: Any, place: str, code: str) -> None:
    path = f"{place}/providers/Microsoft.MachineLearningServices/workspaces/local?api-version=2024-10-01-preview"
    assert error(workspace.request("GET", path), 404).startswith(code)


@pytest.mark.parametrize("name", ["..", "%2e%2e", "..%2f..%2fetc", "a%2fb", "a%00b", "-a", "%5c..%5c", "a" * 300])
def test_a_name_that_leads_elsewhere_is_refused(workspace: Any, name: str) -> None:
    before = sorted(workspace.home.rglob("*.json"))
    for kind in ("environments", "components", "data", "models", "codes"):
        response = workspace.arm("PUT", f"/{kind}/{name}/versions/1", {"properties": {}})
        assert response.status_code in (400, 404)
    assert workspace.arm("PUT", f"/jobs/{name}", {"properties": {}}, "2024-01-01-preview").status_code in (400, 404)
    assert sorted(workspace.home.rglob("*.json")) == before


@pytest.mark.parametrize(
    "name", ["../x", "a/../../x", "%2e%2e/x", "a//b", "./x", "a/./b", "..%5cx", "a%00", "a" * 1100]
)
def test_a_blobs_name_that_leads_elsewhere_is_refused(workspace: Any, upload: Any, name: str) -> None:
    assert put(workspace, upload, name).status_code in (400, 403)


def test_a_link_below_a_container_leads_nowhere(workspace: Any, upload: Any, tmp_path: Path) -> None:
    folder = workspace.home / "workspace" / "code" / upload.path.rsplit("/", 1)[-1]
    (folder / "out").symlink_to(tmp_path)
    (tmp_path / "secret.txt").write_text("secret")
    read = workspace.request("GET", f"{upload.path}/out/secret.txt")
    assert read.status_code == 400
    assert put(workspace, upload, "out/new.txt").status_code == 400
    assert not (tmp_path / "new.txt").exists()


@pytest.mark.parametrize("change", [{"sp": "racwdl"}, {"sr": "b"}, {"se": "2099-01-01T00:00:00Z"}, {"sig": "AAAA"}])
def test_a_signature_that_was_changed_is_refused(workspace: Any, upload: Any, change: dict[str, str]) -> None:
    query = {key: values[0] for key, values in parse_qs(upload.query).items()} | change
    response = put(workspace, upload, "a.txt", query=urlencode(query))
    assert error(response, 403).startswith("AuthenticationFailed")


def test_a_signature_is_for_its_container_only(workspace: Any, upload: Any) -> None:
    other = workspace.arm("POST", f"{CODE}/startPendingUpload", {"pendingUploadType": "TemporaryBlobReference"})
    there = urlsplit(other.json()["blobReferenceForConsumption"]["credential"]["sasUri"])
    assert put(workspace, there, "a.txt", query=upload.query).status_code == 403


def test_a_signature_ends(workspace: Any, upload: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = json.loads((workspace.home / "workspace" / "secrets.json").read_text())
    monkeypatch.setattr(tokens, "SAS_SECONDS", -5)
    old = tokens.sas(tokens.Secrets(**secrets), upload.path.rsplit("/", 1)[-1], "racwl")
    assert put(workspace, upload, "a.txt", query=old).status_code == 403


def test_an_upload_larger_than_the_disk_is_refused_before_it_is_read(workspace: Any, upload: Any) -> None:
    size = shutil.disk_usage(workspace.home).free + (1 << 30)
    head = (
        f"PUT {upload.path}/huge.bin?{upload.query} HTTP/1.1\r\nHost: 127.0.0.1\r\nx-ms-blob-type: BlockBlob\r\n"
        f"Content-Length: {size}\r\n\r\n"
    )
    trust = ssl.create_default_context(cafile=workspace.ca)
    address = ("127.0.0.1", urlsplit(workspace.url).port)
    with socket.create_connection(address) as raw, trust.wrap_socket(raw, server_hostname="127.0.0.1") as connection:
        connection.sendall(head.encode() + b"x" * 1000)
        answer = connection.recv(65536).decode()
    assert answer.startswith("HTTP/1.1 413") and "RequestBodyTooLarge" in answer
    assert left_over(workspace, upload) == []


def test_an_upload_that_is_cut_off_leaves_nothing(workspace: Any, upload: Any) -> None:
    head = (
        f"PUT {upload.path}/half.bin?{upload.query} HTTP/1.1\r\nHost: 127.0.0.1\r\nx-ms-blob-type: BlockBlob\r\n"
        "Content-Length: 1000000\r\n\r\n"
    )
    trust = ssl.create_default_context(cafile=workspace.ca)
    address = ("127.0.0.1", urlsplit(workspace.url).port)
    with socket.create_connection(address) as raw, trust.wrap_socket(raw, server_hostname="127.0.0.1") as connection:
        connection.sendall(head.encode() + b"x" * 1000)
    deadline = time.monotonic() + 10
    while left_over(workspace, upload) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left_over(workspace, upload) == []
    assert workspace.request("HEAD", f"{upload.path}/half.bin").status_code == 404


def left_over(workspace: Any, upload: Any) -> list[str]:
    """What a broken upload must not leave."""
    folder = workspace.home / "workspace"
    container = folder / "code" / upload.path.rsplit("/", 1)[-1]
    incoming = [path.name for path in (folder / "incoming").iterdir()]
    return incoming + [path.name for path in container.glob("*.bin")]


def test_two_clients_that_put_the_same_blob_leave_one_of_them_whole(workspace: Any, upload: Any) -> None:
    bodies = [bytes([65 + index]) * 300_000 for index in range(6)]
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda body: put(workspace, upload, "shared.bin", body).status_code, bodies))
    assert done == [201] * 6
    assert workspace.request("GET", f"{upload.path}/shared.bin").content in bodies
    (workspace.home / "workspace/code" / upload.path.rsplit("/", 1)[-1] / "shared.bin").unlink()


def test_a_block_list_with_a_document_type_is_refused(workspace: Any, upload: Any) -> None:
    text = b'<!DOCTYPE x [<!ENTITY a "b">]><BlockList><Latest>&a;</Latest></BlockList>'
    response = workspace.request("PUT", f"{upload.path}/b.txt?comp=blocklist&{upload.query}", text, Authorization="")
    assert error(response, 400).startswith("InvalidXmlDocument")


def test_a_server_that_broke_says_so_and_lives_on(workspace: Any) -> None:
    names = workspace.home / "workspace" / "codes" / "broken"
    names.mkdir(parents=True)
    (names / "1.json").write_text("not json")
    assert error(workspace.arm("GET", "/codes/broken/versions"), 500).startswith("InternalServerError")
    assert "Traceback" in workspace.log()
    shutil.rmtree(names)
    assert workspace.arm("GET", "", version="2024-10-01-preview").status_code == 200

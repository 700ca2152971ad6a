"""The storage account: the operations of the Blob service's REST API that azure-storage-blob uses here.

Source of shapes: "Blob service REST API", operations Put Blob, Put Block, Put Block List, Set Blob Metadata, Get Blob,
Get Blob Properties, List Blobs, Delete Blob.
"""

import re
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from workspace.blobs import Blob, Container
from workspace.messages import Answer, Request, ServiceError
from workspace.site import Site

_META = "x-ms-meta-"
_VERSION = {"x-ms-version": "2024-11-04"}
_PAGE = 5000
_BLOCK_LIST_BYTES = 8 << 20


def get(site: Site, request: Request) -> Answer:
    """A blob, or the range of it that a header asks for."""
    container, blob = _blob(site, request)
    headers = {**_VERSION, **blob.headers, **_noted(container, blob)}
    asked = request.headers.get("x-ms-range") or request.headers.get("Range")
    if asked is None:
        return Answer(200, None, headers, blob.path)
    size = blob.path.stat().st_size
    start, end = _range(asked, size)
    with blob.path.open("rb") as stream:
        stream.seek(start)
        part = stream.read(end - start + 1)
    return Answer(206, part, {**headers, "Content-Range": f"bytes {start}-{end}/{size}"})


def _range(text: str, size: int) -> tuple[int, int]:
    """First and last byte. Raises ServiceError where there is no such byte, as of an empty blob."""
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", text)
    start = int(match[1]) if match else size
    if match is None or start >= size:
        raise ServiceError(416, "InvalidRange", "The range specified is invalid for the current size of the resource.")
    return start, min(int(match[2]) if match[2] else size - 1, size - 1)


def head(site: Site, request: Request) -> Answer:
    """Properties and metadata of a blob."""
    container, blob = _blob(site, request)
    return Answer(200, None, {**_VERSION, **blob.headers, **_noted(container, blob)}, blob.path)


def put(site: Site, request: Request) -> Answer:
    """A whole blob, a block of one, the list of its blocks, or its metadata."""
    container, name = Container(site, request["container"]), request["blob"]
    assert request.file is not None  # noqa: S101 - the route streams
    match request.query.get("comp"):
        case None:
            blob = container.put(name, request.file)
        case "block":
            container.put_block(name, request.query.get("blockid", ""), request.file)
            return Answer(201, headers=_VERSION)
        case "blocklist":
            blob = container.commit(name, _blocks(request))
        case "metadata":
            blob = container.get(name)
            container.set_metadata(name, _given(request))
            return Answer(200, headers={**_VERSION, **blob.headers})
        case other:
            raise ServiceError(400, "InvalidQueryParameterValue", f"comp={other} is not imitated.")
    container.set_metadata(name, _given(request))
    return Answer(201, headers={**_VERSION, **blob.headers})


def delete(site: Site, request: Request) -> Answer:
    """Remove a blob."""
    Container(site, request["container"]).delete(request["blob"])
    return Answer(202, headers=_VERSION)


def list_(site: Site, request: Request) -> Answer:
    """Names and properties of the blobs below a prefix, by pages; with a delimiter, of folders instead."""
    if request.query.get("restype") != "container" or request.query.get("comp") != "list":
        raise ServiceError(
            400, "InvalidQueryParameterValue", "Of a container only restype=container&comp=list is imitated."
        )
    container, prefix = Container(site, request["container"]), request.query.get("prefix", "")
    result = [blob for blob in container.walk(prefix) if blob.name > request.query.get("marker", "")]
    page = result[: min(int(request.query.get("maxresults") or _PAGE), _PAGE)]
    marker = page[-1].name if len(page) < len(result) else ""
    delimiter = request.query.get("delimiter", "")
    items = _folded(container, page, prefix, delimiter) if delimiter else (_item(container, blob) for blob in page)
    text = (
        f'<?xml version="1.0" encoding="utf-8"?><EnumerationResults ContainerName="{escape(container.name)}">'
        f"<Prefix>{escape(prefix)}</Prefix><Blobs>{''.join(items)}</Blobs><NextMarker>{escape(marker)}</NextMarker>"
        "</EnumerationResults>"
    )
    return Answer(200, text, {**_VERSION, "Content-Type": "application/xml"})


def _folded(container: Container, page: list[Blob], prefix: str, delimiter: str) -> Iterator[str]:
    folders = set()
    for blob in page:
        head, result, _ = blob.name.removeprefix(prefix).partition(delimiter)
        if not result:
            yield _item(container, blob)
        elif head not in folders:
            folders.add(head)
            yield f"<BlobPrefix><Name>{escape(prefix + head + delimiter)}</Name></BlobPrefix>"


def _item(container: Container, blob: Blob) -> str:
    headers = blob.headers
    metadata = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in container.metadata(blob.name).items())
    return (
        f"<Blob><Name>{escape(blob.name)}</Name><Properties><Last-Modified>{headers['Last-Modified']}</Last-Modified>"
        f"<Etag>{escape(headers['ETag'])}</Etag><Content-Length>{blob.path.stat().st_size}</Content-Length>"
        f"<BlobType>BlockBlob</BlobType></Properties><Metadata>{metadata}</Metadata></Blob>"
    )


def _blob(site: Site, request: Request) -> tuple[Container, Blob]:
    container = Container(site, request["container"])
    return container, container.get(request["blob"])


def _noted(container: Container, blob: Blob) -> dict[str, str]:
    return {f"{_META}{key}": value for key, value in container.metadata(blob.name).items()}


def _given(request: Request) -> dict[str, str]:
    """Metadata in the headers; a name has to be one of XML, since lists carry it as such."""
    result = {key[len(_META) :]: value for key, value in request.headers.items() if key.lower().startswith(_META)}
    for key in result:
        if not re.fullmatch(r"[A-Za-z_]\w*", key):
            raise ServiceError(400, "InvalidMetadata", f"The metadata name {key!r} is not an identifier.")
    return result


def _blocks(request: Request) -> list[str]:
    """Ids of the blocks in a block list, which is small XML of a client."""
    assert request.file is not None  # noqa: S101 - the route streams
    if request.file.stat().st_size > _BLOCK_LIST_BYTES:
        raise ServiceError(413, "RequestBodyTooLarge", "The block list is too large.")
    text = request.file.read_text(encoding="utf-8")
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ServiceError(400, "InvalidXmlDocument", "A block list has no document type.")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 - no entity can be declared, see above
    except ElementTree.ParseError as error:
        raise ServiceError(400, "InvalidXmlDocument", f"XML specified is not syntactically valid: {error}.") from None
    return [(block.text or "").strip() for block in root]

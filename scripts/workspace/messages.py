"""What the gate and the handlers speak in: a request that has been checked, an answer, an error of the service."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class ServiceError(Exception):
    """An error as Azure tells it: HTTP status, code, message."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def answer(self) -> "Answer":
        """The error in the shape of Resource Manager (ErrorResponse of its common types)."""
        error = {"code": self.code, "message": self.message, "details": [], "additionalInfo": []}
        return Answer(self.status, {"error": error}, {"x-ms-error-code": self.code})


def not_found(what: str) -> ServiceError:
    """404 in the words that the SDK and the CLI know."""
    return ServiceError(404, "UserError", f"{what} not found.")


def bad_request(message: str) -> ServiceError:
    """400 with the reason."""
    return ServiceError(400, "BadRequest", message)


@dataclass(frozen=True)
class Request:
    """One request, of whose path and api-version the gate has made sure. Names in `path` are not checked yet."""

    method: str
    path: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    # A body that is too large for the memory lies here, and is gone after the answer.
    file: Path | None = None
    host: str = ""

    def __getitem__(self, name: str) -> str:
        return self.path[name]


@dataclass(frozen=True)
class Answer:
    """Status, body (JSON data, text, bytes or a file) and headers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    file: Path | None = None

    def content(self) -> bytes:
        """The body as it goes over the wire; empty for a file."""
        if self.body is None:
            return b""
        if isinstance(self.body, bytes):
            return self.body
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body, default=str).encode()

    @property
    def content_type(self) -> str:
        """Type of the body where no header names one."""
        if isinstance(self.body, bytes) or self.file:
            return "application/octet-stream"
        return "text/plain; charset=utf-8" if isinstance(self.body, str) else "application/json; charset=utf-8"

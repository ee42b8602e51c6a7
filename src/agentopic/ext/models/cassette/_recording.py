"""`Recording`: what was asked and answered, as it stands in a file: without headers, keys and passwords."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from agentopic.concealment import redacted
from agentopic.errors import CassetteError

_SECRET_PARAMETERS: Final = frozenset({"key", "api_key", "api-key", "token", "access_token"})
_KEPT_HEADERS: Final = ("content-type", "retry-after", "retry-after-ms")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One request and its answer."""

    method: str
    path: str
    """Path and query without credentials; the server is left out, so that a recording can be played anywhere."""
    asked: str
    status: int
    headers: dict[str, str]
    """Of the answer, and only those that say how to read it or when to come again."""
    answered: str
    encoding: str
    """`text` or `base64`."""

    @property
    def body(self) -> bytes:
        """What was answered."""
        return base64.b64decode(self.answered) if self.encoding == "base64" else self.answered.encode()

    def answers(self, method: str, path: str, asked: str) -> bool:
        """Whether this is the answer to such a request."""
        return (self.method, self.path, self.asked) == (method, path, asked)


def shown_path(url: str) -> str:
    """Path and query of an address without credentials."""
    parts = urlsplit(url)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name.lower() not in _SECRET_PARAMETERS]
    return parts.path + (f"?{urlencode(query)}" if query else "")


def shown_body(body: bytes) -> str:
    """A body as text, JSON in one spelling, without what has the form of a secret."""
    try:
        parsed: Any = json.loads(body)
    except ValueError:
        return redacted(body.decode(errors="replace"))
    return redacted(json.dumps(parsed, sort_keys=True, ensure_ascii=False))


def recording_of(
    *, method: str, url: str, asked: bytes, status: int, headers: Mapping[str, str], answered: bytes
) -> Recording:
    """What is kept of a request and its answer."""
    try:
        text, encoding = redacted(answered.decode()), "text"
    except UnicodeDecodeError:
        text, encoding = base64.b64encode(answered).decode(), "base64"
    return Recording(
        method=method,
        path=shown_path(url),
        asked=shown_body(asked),
        status=status,
        headers={name: headers[name] for name in _KEPT_HEADERS if name in headers},
        answered=text,
        encoding=encoding,
    )


def read_recordings(path: Path) -> list[Recording]:
    """All recordings of a file.

    Raises:
        CassetteError: the file is not there or is none of recordings.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [Recording(**json.loads(line)) for line in lines if line]
    except (OSError, ValueError, TypeError) as exc:
        raise CassetteError(f"{path} cannot be read as a cassette ({exc}); record it again") from exc


def append_recording(path: Path, recording: Recording) -> None:
    """Write a recording behind those that are there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(asdict(recording), ensure_ascii=False) + "\n")

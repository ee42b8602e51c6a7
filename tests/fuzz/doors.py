"""The doors through which strangers come: each refuses in our own words, or takes in what it can give back."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
from collections.abc import Callable, Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import typer
from hypothesis import strategies as st

from agentopic.cli.verbs import VERBS, load_verb
from agentopic.engine import state_file
from agentopic.envelope import http, kafka, protobuf
from agentopic.envelope import json as events
from agentopic.errors import AgentopicError, ConfigError, EnvelopeError, StateFileError
from agentopic.settings import Settings, fields, variables

from .inputs import BYTES, CONTENT_TYPES, DAMAGED_MESSAGES, DOCUMENTS, FIELDS, HEADERS, JSON, MESSAGES, NAMES, VALUES
from .mesh import handled_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """One door: what is thrown at it, and how it is opened; whether it took that in."""

    name: str
    inputs: st.SearchStrategy[Any]
    open: Callable[[Any], bool]
    slow: bool = False


def _refusing(*errors: type[AgentopicError]) -> Callable[[Callable[[Any], None]], Callable[[Any], bool]]:
    """Turn what takes an input, or raises one of these errors, into a door; any other error goes through."""

    def door(take: Callable[[Any], None]) -> Callable[[Any], bool]:
        def opened(given: Any) -> bool:
            try:
                take(given)
            except errors:
                return False
            return True

        return opened

    return door


@_refusing(EnvelopeError)
def _record(given: tuple[Any, bytes | None, bytes | None]) -> None:
    headers, value, key = given
    envelope = kafka.decode_record(headers, value, key=key)
    again = kafka.encode(envelope, key=key)
    assert kafka.decode_record(again.headers, again.value, key=again.key) == envelope


@_refusing(EnvelopeError)
def _document(given: bytes) -> None:
    envelope = events.loads(given)
    assert events.loads(events.dumps(envelope)) == envelope


@_refusing(EnvelopeError)
def _batch(given: bytes) -> None:
    found = events.loads_batch(given)
    assert events.loads_batch(events.dumps_batch(found)) == found


@_refusing(EnvelopeError)
def _http(given: tuple[Mapping[str, str], bytes]) -> None:
    headers, body = given
    for envelope in http.decode_all(list(headers.items()), body):
        # A header is text: what comes back the first time is what comes back ever after.
        sent = http.encode(envelope)
        seen = http.decode(sent.headers, sent.body)
        again = http.encode(seen)
        assert http.decode(again.headers, again.body) == seen


@_refusing(EnvelopeError)
def _protobuf(given: bytes) -> None:
    envelope = protobuf.loads(given)
    assert protobuf.loads(protobuf.dumps(envelope)) == envelope


def _sealed(lines: list[Any]) -> bytes:
    """Return a file of these lines whose checksum fits: whoever alters one can make that fit, too."""
    text = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    return text + b'{"counts":{},"sha256":"%s"}\n' % hashlib.sha256(text).hexdigest().encode()


_HEADS = st.just({"kind": state_file.KIND, "format": state_file.FORMAT, "namespace": "n", "groups": ["g"]})
_ODD_HEADS = st.fixed_dictionaries(
    {"kind": st.just(state_file.KIND), "format": st.just(state_file.FORMAT)},
    optional={"namespace": JSON, "groups": JSON},
)
_CELLS = JSON | st.builds(lambda raw: {"base64": base64.b64encode(raw).decode()}, BYTES) | st.just({"base64": "?"})
_ROWS = st.fixed_dictionaries(
    {"table": st.sampled_from(["blob", "lane", "step"]) | JSON},
    optional={"values": st.dictionaries(st.sampled_from(["sha256", "data", "id"]), _CELLS, max_size=3) | JSON},
)
_FILES = BYTES | st.builds(
    lambda head, rows: _sealed([head, *rows]), _HEADS | _ODD_HEADS, st.lists(_ROWS | JSON, max_size=3)
)


@_refusing(StateFileError)
def _state(given: bytes) -> None:
    source = io.BytesIO(given)
    state_file.verify(source)
    for _ in state_file.read_lines(source):
        pass


_VARIABLES = st.sampled_from([name for field in fields() for name in variables(field)])
_LITERALS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=40)
_URLS = st.builds(
    "{}://{}".format, st.sampled_from(["sqlite", "kafka", "postgresql", "redis", "memory", "x"]), _LITERALS
)


@_refusing(ConfigError)
def _settings(given: Mapping[str, str]) -> None:
    with patch.dict(os.environ, given, clear=True):
        Settings()


_WORDS = st.text(max_size=20) | st.sampled_from(
    [
        "--help",
        "-o",
        "json",
        "--output",
        "list",
        "show",
        "answer",
        "--limit",
        "-1",
        "--",
        "--transport",
        "memory://",
        "=",
        "a/b",
    ]
)


def _leaves(name: str, command: Any) -> dict[str, Any]:
    """Return the commands of a verb that can be run, by their paths."""
    below: Mapping[str, Any] = getattr(command, "commands", {})
    found = [_leaves(f"{name} {each}", inner) for each, inner in below.items()]
    return {path: leaf for leaves in found for path, leaf in leaves.items()} if found else {name: command}


_COMMANDS = {path: leaf for verb in VERBS for path, leaf in _leaves(verb, load_verb(verb)).items()}
_USAGE_ERRORS: tuple[type[BaseException], ...] = (typer.BadParameter.__mro__[2], typer.Exit, typer.Abort)
"""What a command line is refused with; the base of typer's usage errors has no public name."""


def _parsed(given: tuple[str, list[str]]) -> bool:
    """Parse a command line as far as the verb that would run, and run nothing."""
    path, words = given
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            _COMMANDS[path].make_context(path, list(words))
    except _USAGE_ERRORS:
        return False
    return True


DOORS = (
    Door(name="record", inputs=st.tuples(HEADERS, st.none() | DOCUMENTS, st.none() | BYTES), open=_record),
    Door(name="event in JSON", inputs=DOCUMENTS, open=_document),
    Door(name="batch in JSON", inputs=DOCUMENTS, open=_batch),
    Door(
        name="event over HTTP",
        inputs=st.tuples(
            st.dictionaries(
                NAMES.map("ce-{}".format) | st.just("content-type"),
                VALUES | CONTENT_TYPES.map(lambda raw: raw.decode("latin-1")),
                max_size=7,
            )
            | FIELDS,
            DOCUMENTS,
        ),
        open=_http,
    ),
    Door(name="event in Protobuf", inputs=BYTES | MESSAGES | DAMAGED_MESSAGES, open=_protobuf),
    Door(name="file of state", inputs=_FILES, open=_state),
    Door(name="settings", inputs=st.dictionaries(_VARIABLES, _LITERALS | _URLS, max_size=4), open=_settings),
    Door(
        name="command line",
        inputs=st.tuples(st.sampled_from(sorted(_COMMANDS)), st.lists(_WORDS, max_size=5)),
        open=_parsed,
    ),
    Door(
        name="running service",
        inputs=st.lists(
            st.tuples(
                st.sampled_from(("task", "request", "control", "replies")),
                HEADERS,
                st.none() | DOCUMENTS,
                st.none() | BYTES,
            ),
            min_size=1,
            max_size=20,
        ),
        open=handled_after,
        slow=True,
    ),
)

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from agentopic.telemetry.logging import _TALKATIVE, _VERBATIM, configure_logging


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    levels = {name: logging.getLogger(name).level for name in (*_TALKATIVE, *_VERBATIM)}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


def events(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_both_kinds_of_loggers_write_one_json_object_per_line():
    stream = io.StringIO()
    configure_logging("INFO", "auto", stream)

    structlog.stdlib.get_logger("ours").info("started", agent="clerk")
    logging.getLogger("theirs").warning("slow: %d ms", 7)

    first, second = events(stream)
    assert (first["event"], first["agent"], first["logger"], first["level"]) == ("started", "clerk", "ours", "info")
    assert (second["event"], second["level"]) == ("slow: 7 ms", "warning")


def test_the_level_is_heeded():
    stream = io.StringIO()
    configure_logging("WARNING", "json", stream)

    structlog.stdlib.get_logger("ours").info("quiet")
    logging.getLogger("theirs").info("quiet")

    assert stream.getvalue() == ""


def test_configuring_again_replaces_the_stream():
    first, second = io.StringIO(), io.StringIO()
    configure_logging("INFO", "json", first)
    configure_logging("INFO", "json", second)

    logging.getLogger("theirs").warning("once")

    assert first.getvalue() == ""
    assert len(events(second)) == 1


def test_an_exception_is_part_of_its_line():
    stream = io.StringIO()
    configure_logging("INFO", "json", stream)

    try:
        raise ValueError("broken")
    except ValueError:
        logging.getLogger("theirs").exception("failed")

    (event,) = events(stream)
    assert "ValueError: broken" in str(event["exception"])


@pytest.mark.parametrize(
    "fields",
    [
        {"api_key": "hush-hush"},
        {"OPENAI_API_KEY": "hush-hush"},
        {"headers": {"Authorization": "Bearer hush-hush-hush"}},
        {"url": "postgresql://u:hush-hush@db/x"},
        {"note": "sent with Bearer hush-hush-hush-1"},
        {"many": [{"password": "hush-hush"}]},
        {"key": "sk-hush-hush-hush"},
    ],
)
def test_secrets_are_masked_wherever_they_stand(fields: dict[str, object]):
    stream = io.StringIO()
    configure_logging("INFO", "json", stream)

    structlog.stdlib.get_logger("ours").info("call", **fields)

    assert "hush" not in stream.getvalue()
    assert "********" in stream.getvalue()


def test_secrets_in_tracebacks_are_masked():
    stream = io.StringIO()
    configure_logging("INFO", "json", stream)

    try:
        raise ConnectionError("cannot reach postgresql://u:hush@db/x")
    except ConnectionError:
        logging.getLogger("theirs").exception("failed")

    assert "hush" not in stream.getvalue()


def test_words_about_tokens_are_no_secrets():
    stream = io.StringIO()
    configure_logging("INFO", "json", stream)

    structlog.stdlib.get_logger("ours").info("usage", prompt_tokens=12, key="customer-7")

    (event,) = events(stream)
    assert (event["prompt_tokens"], event["key"]) == (12, "customer-7")


def test_clients_that_report_on_their_own_are_silent_below_debug():
    stream = io.StringIO()
    configure_logging("INFO", "json", stream)

    logging.getLogger("aiokafka").error("Unable to connect")

    assert stream.getvalue() == ""


def test_people_get_a_readable_line():
    stream = io.StringIO()
    configure_logging("INFO", "console", stream)

    structlog.stdlib.get_logger("ours").info("started", agent="clerk")

    assert "started" in stream.getvalue()
    assert "agent=clerk" in stream.getvalue()

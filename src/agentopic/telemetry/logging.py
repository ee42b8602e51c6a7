"""Logging for programs: structlog over the standard library, on stderr, without secrets."""

from __future__ import annotations

import logging
import sys
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import Processor

from agentopic.telemetry.redaction import redact

LogFormat = Literal["auto", "console", "json"]

# Clients that report every failed connection attempt on their own; the runtime reports what came of it, once.
_TALKATIVE = ("aiokafka", "kafka", "httpx", "httpx2", "openai", "anthropic", "mcp", "asyncio", "urllib3")
# Loggers of whole messages, payloads included: for tools that ask for them, and for DEBUG.
_VERBATIM = ("agentopic.core.events", "agentopic.core.trace")


def configure_logging(level: str, log_format: LogFormat = "auto", stream: TextIO | None = None) -> None:
    """Send all log events of this process, structlog's and the standard library's, to one stream.

    Called by programs alone; the library itself only makes loggers. `auto` writes for people on a terminal and
    one JSON object per line otherwise. Calling it again replaces what an earlier call has set.
    """
    target = stream or sys.stderr
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_ending(log_format, target),
            ],
        )
    )
    _install(handler, level)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _ending(log_format: LogFormat, stream: TextIO) -> list[Any]:
    if log_format == "console" or (log_format == "auto" and stream.isatty()):
        return [redact, structlog.dev.ConsoleRenderer(colors=stream.isatty())]
    return [structlog.processors.format_exc_info, redact, structlog.processors.JSONRenderer(default=str)]


def _install(handler: logging.Handler, level: str) -> None:
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each.formatter, structlog.stdlib.ProcessorFormatter)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in (*_TALKATIVE, *_VERBATIM):
        logging.getLogger(name).setLevel(level if level == "DEBUG" else logging.CRITICAL)

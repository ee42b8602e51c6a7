"""Loggers for the library: events with fields, through the standard library, silent until a program listens."""

from __future__ import annotations

import logging

import structlog


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger whose events reach the standard library's logger of that name, fields as `extra`.

    It does not look at the process-wide configuration of structlog, which belongs to the program: without any, an
    event would be printed to stdout, among the program's own output. A field may not be named like an attribute
    of `logging.LogRecord` (`message`, `process`, `name` and the like).
    """
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return logger

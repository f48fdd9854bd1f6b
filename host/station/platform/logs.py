"""Logging of the station's processes: structlog, one line per event, UTC, no secrets (keys are never given)."""

import logging
import sys

import structlog


def configure(level: str, process: str) -> None:
    """Sets up this process's log on standard error. level: debug, info, warning or error."""
    number = {"debug": 10, "info": 20, "warning": 30, "error": 40}[level]
    # Libraries log through the standard module: only their warnings are of interest to an operator.
    logging.basicConfig(
        stream=sys.stderr, level=max(number, logging.WARNING), format="%(levelname)s %(name)s %(message)s"
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "process", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)

"""The log: a JSON object a line, with the analysis it is about; or plain lines for a terminal."""

from __future__ import annotations

import json
import logging
from typing import Any

# What a record may carry beyond its message; the rest of its attributes is logging's own.
FIELDS = ("analysis", "key", "config", "namespace", "result", "seconds", "token")
PLAIN = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class JsonLines(logging.Formatter):
    """One strict JSON object a record."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record; an exception goes along as text."""
        told: dict[str, Any] = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, ensure_ascii=False, allow_nan=False, default=str)


def settings(*, as_json: bool) -> dict[str, Any]:
    """Give what `logging.config.dictConfig` takes; the server's own lines take the same form."""
    formatter: dict[str, Any] = {"()": JsonLines} if as_json else {"format": PLAIN}
    handler = {
        "class": "logging.StreamHandler",
        "formatter": "line",
        "stream": "ext://sys.stderr",
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": {"stderr": handler},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {name: {"level": "INFO"} for name in ("serinus", "uvicorn")},
    }

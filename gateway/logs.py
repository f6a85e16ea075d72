"""The one place where logging is configured: structlog for everybody, NISS masked.

Nothing here may name a person, so whatever looks like a NISS is masked on its way out, whoever
wrote it: ours, paho's or another library's.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

MASK = "[11 digits]"
# 11 digits, as they are or written 85.07.30-033.28; no part of a longer number.
_NISS = re.compile(
    r"(?<![0-9])[0-9]{2}[. ]?[0-9]{2}[. ]?[0-9]{2}[- .]?[0-9]{3}[. ]?[0-9]{2}(?![0-9])"
)


def masked(text: str) -> str:
    """Return a text with everything that looks like a NISS taken out."""
    return _NISS.sub(MASK, text)


def configure(stream: TextIO | None = None, level: int = logging.INFO) -> None:
    """Send structlog and the standard library's loggers to one stream, a JSON object a line."""
    out = stream if stream is not None else sys.stderr
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    render: list[Processor] = [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.JSONRenderer(sort_keys=True, ensure_ascii=False),
        _masking,
    ]
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=render)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _masking(_logger: Any, _method: str, line: MutableMapping[str, Any] | str) -> str:
    """Mask the finished line, whatever it was made of."""
    return masked(str(line))

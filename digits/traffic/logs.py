"""What is logged, one JSON object a line, and how often; nothing that a client sends can begin a line of its own."""

import datetime
import json
import logging
import threading
import time


class JsonLines(logging.Formatter):
    """Formats a record, with the fields it was given as its argument, as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        written = datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds")
        line = {"time": written, "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if isinstance(record.args, dict):
            line |= record.args
        if request := getattr(record, "request", None):
            line["request_id"] = getattr(request, "request_id", None)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


class Seldom:
    """Tells whether it is time to say again what would otherwise be said with every request."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._next = seconds, 0.0
        self._lock = threading.Lock()

    def __call__(self) -> bool:
        with self._lock:
            if time.monotonic() < self._next:
                return False
            self._next = time.monotonic() + self._seconds
            return True

"""What is logged, one JSON object a line: whatever a client sends, it can't begin a line of its own."""

import datetime
import json
import logging


class JsonLines(logging.Formatter):
    """Formats a record, with the fields it was given as its argument, as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds")
        line = {"time": time, "level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if isinstance(record.args, dict):
            line |= record.args
        if request := getattr(record, "request", None):
            line["request_id"] = getattr(request, "request_id", None)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)

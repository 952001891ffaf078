"""Answers of servers that stand in for the public mirrors, and terminals on which downloads are watched."""

import contextlib
import io
from http.server import BaseHTTPRequestHandler

OLDER_FILE = b"an older file that is still good"


def assert_unchanged(target):
    """The folder holds nothing but the older file."""
    [(name, content)] = [(path.name, path.read_bytes()) for path in target.iterdir()]
    assert content == OLDER_FILE, name


class Terminal(io.StringIO):
    """Collects the text that is written to a terminal."""

    def isatty(self):
        return True


class InterruptedTerminal(Terminal):
    """A terminal whose user presses Ctrl-C when the progress bar appears."""

    def write(self, text):
        if "\r" in text:
            raise KeyboardInterrupt
        return super().write(text)


class Handler(BaseHTTPRequestHandler):
    """Answers with the server's `answer`, a function of this handler and of the name of the requested file."""

    def do_GET(self):
        with contextlib.suppress(ConnectionError):
            self.server.answer(self, self.path.removeprefix("/").removesuffix(".gz"))

    def log_message(self, *args):
        pass


def send(handler, body, length=None):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


def send_status(code):
    return lambda handler, name: handler.send_error(code)


def send_a_login_page(handler, name):
    send(handler, b"<!doctype html><title>Log in to this network</title>")

"""A server that stands in for the public mirrors, and the terminals that downloads from it are watched on."""

import contextlib
import io
from http.server import BaseHTTPRequestHandler


class Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self):
        return True


class InterruptedTerminal(Terminal):
    """A terminal whose user presses Ctrl-C as soon as the progress bar appears."""

    def write(self, text):
        if "\r" in text:
            raise KeyboardInterrupt
        return super().write(text)


class Handler(BaseHTTPRequestHandler):
    """Leaves the answer to the server's `answer`, a function of this handler and of the file asked for."""

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

"""gunicorn's ASGI worker with limits on time, the site's headers on the errors it answers itself, and a way to stop.

gunicorn has no settings for these. What is overridden here is gunicorn's own, so requirements-production.txt allows
only the release that the tests run.
"""

import asyncio
import contextlib
import ctypes
import functools
import socket
import struct
import sys
from http import HTTPStatus

from gunicorn.asgi.protocol import ASGIProtocol
from gunicorn.glogging import Logger
from gunicorn.workers import gasgi

from digits.traffic import draining
from digits.traffic.refused_connections import refuse_connection

DRAIN_SECONDS = 5  # after SIGTERM, in which load balancers learn that this server is not ready
SEND_SECONDS = 20  # that a client may take over an answer too long for the buffers, until 16 KB or less are left here
ANNOUNCE_SECONDS = 0.5  # in which a stopping worker finishes the answers that promise to keep their connections
SHARE_SECONDS = 0.001  # for which a worker that has accepted connections leaves the next ones to others
ACCEPT_SECONDS = 0.2  # for which a stopping worker takes in connections that have been accepted
LINGER_SECONDS = 2  # for which a stopping worker keeps connections that wait for their next request
TCP_SYN = 0x02
SO_ATTACH_FILTER = 26  # of Linux; the module socket does not name it
DETAILS = {
    400: "This is not a request as HTTP/1.1 has it.",
    414: "The address of this request is too long.",
    431: "The header fields of this request are too many or too long.",
    500: "Something went wrong here, not with you. Please try again.",
    501: "This server does not know the transfer coding of this request.",
}


class Connection(ASGIProtocol):
    """A connection, which must have sent the head of a request `keepalive` seconds after it was free to."""

    _has_begun = False  # a request has, but is not complete
    _has_ended = False  # the client will send no more
    _is_answered = False  # the request whose head came last
    _stalled_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        self._arm_keepalive_timer()
        if self.worker.nr_conns > self.worker.worker_connections:
            self.worker.make_room()

    def _feed_callback_parser(self, data: bytes) -> bool:
        self._has_begun = True
        return super()._feed_callback_parser(data)

    def eof_received(self) -> bool:
        """Whether the connection stays open: a client that will send no more may still wait for its answer."""
        self._has_ended = True
        if self._closed or self._current_request is None or self._body_receiver is None:
            return False
        if not self._body_receiver._complete:
            self.refuse(400, "This request ended before its body did.")
            return False
        return True

    def connection_lost(self, exception: Exception | None) -> None:
        self.worker.waiting.pop(self, None)
        super().connection_lost(exception)

    def _arm_keepalive_timer(self) -> None:
        self._cancel_keepalive_timer()
        self.worker.waiting[self] = None
        seconds = 0 if self._has_ended else LINGER_SECONDS if self.worker.is_leaving else self._keepalive
        self._keepalive_handle = self.worker.loop.call_later(seconds, self._keepalive_timeout)

    def _on_headers_complete(self) -> bool:
        self._is_answered = False
        return super()._on_headers_complete()

    def _send_response_start(self, *arguments: object, **options: object) -> None:
        self._is_answered = True
        super()._send_response_start(*arguments, **options)

    def _on_message_complete(self) -> None:
        self._has_begun = False
        self.worker.waiting.pop(self, None)
        super()._on_message_complete()

    def _keepalive_timeout(self) -> None:
        self.give_up(408, "The head of this request came too slowly.")

    def give_up(self, status: int, detail: str) -> None:
        """Close the connection, with an answer if part of a request has come."""
        self.worker.waiting.pop(self, None)
        if self._has_begun and not self._closed:
            self.refuse(status, detail)
        super()._keepalive_timeout()
        self.worker.loop.call_later(LINGER_SECONDS, self.transport.abort)  # if the last answer is still not taken

    def pause_writing(self) -> None:
        """The client takes less than it is sent."""
        self._stalled_timer = self.worker.loop.call_later(SEND_SECONDS, self.transport.abort)
        super().pause_writing()

    def resume_writing(self) -> None:
        if self._stalled_timer:
            self._stalled_timer.cancel()
        super().resume_writing()

    def _will_close(self, *arguments: object) -> bool:
        return self.worker.is_leaving or super()._will_close(*arguments)

    def _is_websocket_upgrade(self, request: object) -> bool:
        return False

    def _send_error_response(self, status: int, message: str, extra_headers: tuple = ()) -> None:
        if not self._closed:  # by a client that does not wait
            self.refuse(status, DETAILS.get(status, DETAILS[400]))  # gunicorn's message would quote the client

    def refuse(self, status: int, detail: str) -> None:
        if self._is_answered and self._current_request is not None:
            return  # before all of it came; nobody waits for a second answer
        headers, body = refuse_connection(status, detail)
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n{lines}\r\n"
        self._safe_write(head.encode("latin-1") + body)


class Log(Logger):
    """What gunicorn says, but no line a request: the site writes that, and gunicorn would make up another one."""

    access_log_enabled = False


class Worker(gasgi.ASGIWorker):
    """A process that answers requests; at SIGTERM it goes on for a while if the whole server stops."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.waiting: dict[Connection, None] = {}  # for the rest of a request, longest first
        self.is_leaving = False

    def _setup_event_loop(self) -> None:
        """Have the loop accept few connections at a time where several workers wait for them.

        asyncio accepts all that are waiting: the worker that wakes first would get all connections of a proxy. So each
        leaves the others time after it has accepted one, or as many again as it has: the last of many would wait long
        if it accepted one at a time.
        """
        super()._setup_event_loop()
        loop = self.loop
        loop.create_server = functools.partial(loop.create_server, backlog=self.cfg.backlog)
        if self.cfg.workers == 1:
            return
        accept_connections = loop._accept_connection

        def accept_some(protocol, listener, ssl, server, backlog, *rest) -> None:
            accept_connections(protocol, listener, ssl, server, min(backlog, max(1, self.nr_conns)), *rest)
            # Where no file may be opened any more, asyncio has removed it already, for longer.
            if loop._remove_reader(listener.fileno()):
                loop.call_later(SHARE_SECONDS, go_on, protocol, listener, ssl, server, backlog, *rest)

        def go_on(protocol, listener, *rest) -> None:
            if listener.fileno() >= 0:  # it has not been closed since
                loop._add_reader(listener.fileno(), accept_some, protocol, listener, *rest)

        loop._accept_connection = accept_some

    def make_room(self) -> None:
        """Close the connection that has been waiting longest for the rest of a request, or for any of it."""
        if self.waiting:
            next(iter(self.waiting)).give_up(503, "This server has too many connections. Please try again.")

    def handle_exit_signal(self) -> None:
        # Replaced after a reload, the worker stops at once: its successors accept already.
        self.loop.call_later(DRAIN_SECONDS if draining.is_draining() else 0, self.stop)

    def stop(self) -> None:
        """Announce in each answer that its connection ends, and end a moment later.

        gunicorn closes each connection after its answer once the worker is not alive, also where the head of the
        answer, which has just been sent, says nothing of it.
        """
        self.is_leaving = True
        self.loop.call_later(ANNOUNCE_SECONDS, self.end)
        if draining.is_draining():
            for listener in self.sockets:
                refuse_new_connections(listener.sock)
        for connection in list(self.waiting):
            if connection._awaiting_request:
                connection._arm_keepalive_timer()

    def end(self) -> None:
        self.alive = False  # the listening sockets are closed within a second

    async def _shutdown(self) -> None:
        """Let those in whom the sockets have accepted already; gunicorn would not wait for a first connection."""
        for server in self.servers:
            server.close()
        await asyncio.sleep(ACCEPT_SECONDS)
        await super()._shutdown()


def refuse_new_connections(listener: socket.socket) -> None:
    """Have Linux drop what opens new connections, so that none is in the queue, unseen, when the socket is closed.

    Clients try again after a second and are refused then. Elsewhere, those in the queue are reset.
    """
    if sys.platform != "linux":
        return
    load_flags, jump_if_any, answer = 0x30, 0x45, 0x06  # of a classic BPF program, which sees a packet's TCP header
    program = [(load_flags, 0, 0, 13), (jump_if_any, 0, 1, TCP_SYN), (answer, 0, 0, 0), (answer, 0, 0, 0xFFFFFFFF)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *instruction) for instruction in program))
    with contextlib.suppress(OSError):  # where a sandbox forbids it
        listener.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(program), ctypes.addressof(code))
        )


gasgi.ASGIProtocol = Connection  # which the worker makes for each connection; there is no setting for it

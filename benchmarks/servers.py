"""The server of deploy/ and others, with the same site behind them: speed, memory, slow clients and reloads.

Run as `python -m benchmarks.servers`, with `wrk` (Debian has a package of this name) and two cores that are idle.
Servers that are not installed are left out: `pip install granian uwsgi waitress uvicorn[standard] hypercorn` brings
them. Each runs one worker on one core, in turns; the medians are printed. The last line is one JSON object.
"""

import argparse
import contextlib
import http.client
import json
import os
import signal
import socket
import statistics
import tempfile
import threading
import time

from .environment import configure_site

STATIC_ROOT = tempfile.TemporaryDirectory()
configure_site(STATIC_ROOT.name)

import django

django.setup()

from django.core.management import call_command

from . import load, samples
from .load import CONNECTIONS, LIVE, PREDICT, ROOT, SCRIPTS, Load, Request, Server

SECONDS = 3  # of load at each number of connections
SLOW = 64  # slow bodies, as many slow heads and as many idle connections
RELOAD_SECONDS = 8  # of load, with a reload after the first second
DJANGO_ASGI = "django.core.asgi:get_asgi_application"

# The commands; {address}, {port} and {workers} are filled in.
SERVERS = {
    "deploy/gunicorn.conf.py": "gunicorn --config deploy/gunicorn.conf.py --bind {address} --workers {workers}",
    "gunicorn gthread": "gunicorn config.wsgi --threads 8 --preload --bind {address} --workers {workers}",
    "gunicorn asgi, Django's handler": f"gunicorn {DJANGO_ASGI}() -k asgi --bind {{address}} --workers {{workers}}",
    "granian wsgi, 8 threads": "granian --interface wsgi config.wsgi:application --blocking-threads 8 --http 1 "
    "--port {port} --workers {workers}",
    "granian wsgi, 256 threads": "granian --interface wsgi config.wsgi:application --blocking-threads 256 --http 1 "
    "--port {port} --workers {workers}",
    "granian asgi, config/asgi.py": "granian --interface asginl config.asgi:application --http 1 "
    "--port {port} --workers {workers}",
    "uvicorn, config/asgi.py": "uvicorn config.asgi:application --lifespan off --no-access-log --log-level warning "
    "--port {port} --workers {workers}",
    "uvicorn, Django's handler": f"uvicorn --factory {DJANGO_ASGI} --lifespan off --no-access-log --log-level warning "
    "--port {port} --workers {workers}",
    "hypercorn, Django's handler": f"hypercorn {DJANGO_ASGI}() --bind {{address}} --workers {{workers}}",
    "waitress": "waitress-serve --listen {address} --threads 8 --asyncore-use-poll --connection-limit 1000 "
    "config.wsgi:application",
    "uwsgi": "uwsgi --http11-socket {address} --module config.wsgi --master --processes {workers} --threads 8 "
    "--disable-logging --need-app --die-on-term",
}


def running(name: str, workers: int, core: int | None) -> contextlib.AbstractContextManager[Server]:
    program, *words = SERVERS[name].replace("{workers}", str(workers)).split()
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "DIGITS_MAX_PREDICTIONS_IN_FLIGHT": str(load.PLACES),
        "DJANGO_ALLOWED_HOSTS": load.HOST,
    }
    is_ready = lambda port: load.is_answered(port, Request(LIVE), timeout=1)  # noqa: E731
    return load.running([str(SCRIPTS / program), *words], is_ready, core, env=environment)


def holds_against_slow_clients(port: int, picture: Request) -> bool:
    """Whether others are answered, each within a second, while slow clients are connected."""
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: image/png\r\n"
    with contextlib.ExitStack() as stack:
        for sent in [f"{head}Content-Length: 100000\r\n\r\na", f"{head}X-Slow: ", ""]:
            for _ in range(SLOW):
                stack.enter_context(socket.create_connection((load.HOST, port), timeout=5)).sendall(sent.encode())
        time.sleep(1)
        asked = [load.is_answered(port, request, timeout=1) for _ in range(5) for request in (Request(LIVE), picture)]
    return all(asked)


def lost_in_a_reload(server: Server) -> str:
    """How many requests got no answer, and of how many; half of them are sent on connections that are kept."""
    answers: list[bool] = []
    is_over = threading.Event()

    def client(keep: bool) -> None:
        connection = http.client.HTTPConnection(load.HOST, server.port, timeout=5)
        while not is_over.is_set():
            try:
                connection.request("GET", LIVE)
                answers.append(connection.getresponse().read() != b"")
            except (OSError, http.client.HTTPException):
                answers.append(False)
                connection.close()
            if not keep:
                connection.close()
        connection.close()

    threads = [threading.Thread(target=client, args=(bool(number % 2),)) for number in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(1)
    server.process.send_signal(signal.SIGHUP)
    time.sleep(RELOAD_SECONDS - 1)
    is_over.set()
    for thread in threads:
        thread.join()
    return "no reload" if server.process.poll() is not None else f"{answers.count(False)} of {len(answers)}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3, help="of all servers in turn (3)")
    options = parser.parse_args()
    call_command("collectstatic", interactive=False, verbosity=0)
    names = [name for name, command in SERVERS.items() if (SCRIPTS / command.split()[0]).exists()]
    loads: dict[str, dict[int, list[Load]]] = {name: {number: [] for number in CONNECTIONS} for name in names}
    memory: dict[str, list[float]] = {name: [] for name in names}
    picture = load.form(PREDICT, samples.picture())
    for _ in range(options.rounds):
        for name in names:
            with running(name, 1, load.SERVER_CORE) as server:
                for number in CONNECTIONS:
                    loads[name][number].append(load.measure(server, picture, number, SECONDS))
                memory[name].append(load.megabytes(server.process.pid))
    loads_header = "requests a second at 1 / 8 / 64 connections | p50, ms | p99, ms | processor, ms a request"
    print(f"| server | {loads_header} | MB | slow clients | lost in a reload |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | --- | ---: |")
    figures = {}
    for name in names:
        medians = [Load(*map(statistics.median, zip(*loads[name][number], strict=True))) for number in CONNECTIONS]
        with running(name, 2, core=None) as server:
            holds = holds_against_slow_clients(server.port, picture)
        with running(name, 2, core=None) as server:
            lost = lost_in_a_reload(server)
        cells = [
            " / ".join(f"{each.per_second:.0f}" for each in medians),
            " / ".join(f"{each.median:.1f}" for each in medians),
            " / ".join(f"{each.p99:.0f}" for each in medians),
            f"{statistics.median(each.processor for each in medians):.2f}",
            f"{statistics.median(memory[name]):.0f}",
            "held" if holds else "stopped",
            lost,
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
        figures[name] = {"loads": medians, "megabytes": statistics.median(memory[name]), "held": holds, "lost": lost}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

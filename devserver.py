#!/usr/bin/env python3
"""One command from a bare checkout to a running site or a test run; it needs Python and nothing else."""

import argparse
import errno
import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

MINIMUM_PYTHON = (3, 11)

# The syntax of this file stays that of Python 3.6, so that an old Python gets as far as this message.
if sys.version_info < MINIMUM_PYTHON:
    sys.exit("Digit Recognizer needs Python {}.{} or newer; this is {}.{}.".format(*MINIMUM_PYTHON, *sys.version_info))

WINDOWS = os.name == "nt"
HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")
SHOWN_PYTHON = PYTHON.relative_to(HERE)

# Asked of .venv. A package's files may be gone though pip still has it on its list.
WORKS = """
import importlib.metadata, pip, sys
def is_whole(name):
    files = importlib.metadata.files(name) or []
    return all(file.locate().exists() for file in files if len(file.parts) == 2 and file.suffix == ".py")
sys.exit(sys.version_info < {minimum} or not all(map(is_whole, {installed})))
"""
LOCKED_BYTE = 2**30  # which Windows lets a program lock beyond the end of a file, where it is in nobody's way

WEIGHTS = HERE / "digit_recognizer_dl_model" / "digit_recognizer_weights.npz"
MNIST_CSV = HERE / Path(os.environ.get("MNIST_CSV") or "data/mnist_test.csv").expanduser()


def main():
    """Serve the site, or run the tests if the first argument is `test`."""
    sys.stdout.reconfigure(line_buffering=True)  # so that a log has our lines before those of the programs we start
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # `kill` stops an installation in the same way as Ctrl-C
    try:
        if sys.argv[1:2] == ["test"]:
            return run_tests(sys.argv[2:])
        options = parse_options()
        check_address(options.host, options.port)
        with only_one():
            make_venv()
            install("requirements.txt")
        check_files()
        return serve(options.host, options.port)
    except KeyboardInterrupt:
        return 130  # what a shell reports for a command that Ctrl-C cut short


def parse_options():
    """Read --host and --port from the command line."""
    parser = argparse.ArgumentParser(
        usage="python devserver.py [--host HOST] [--port PORT]\n       python devserver.py test [pytest arguments]",
        description="Serve Digit Recognizer, after making .venv and installing requirements.txt into it where needed.",
        epilog="`python devserver.py test` installs requirements-dev.txt into the same .venv and runs pytest; "
        "everything after `test` is passed on to it, as in `python devserver.py test -x -k drawing`.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to serve on (default: %(default)s)")
    parser.add_argument("--port", default=8000, type=port_number, help="port to serve on (default: %(default)s)")
    return parser.parse_args()


def port_number(text):
    """Return a port as an integer, or raise the error whose message argparse shows."""
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text} is not a port; a port must be an integer from 1 to 65535")
    return int(text)


def check_address(host, port):
    """Exit with a plain message if the site cannot be served on this address."""
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            # Accepts a port whose last server has just stopped. On Windows it would accept a taken port, too.
            if not WINDOWS:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except TypeError:  # the name cannot be encoded as a host name
        sys.exit(f"Cannot serve on {host}: it is not a valid host name.")
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            sys.exit(f"Port {port} is taken by another program. Try: python devserver.py --port {port + 1}")
        if error.errno == errno.EACCES:
            sys.exit(f"Serving on port {port} is not permitted. Try another: python devserver.py --port 8080")
        sys.exit(f"Cannot serve on {host}: {error.strerror}.")


@contextmanager
def only_one():
    """Wait until no other devserver.py of this checkout makes .venv: both would write the same files."""
    with Path(__file__).open("rb") as file:
        if WINDOWS:
            import msvcrt  # not elsewhere

            file.seek(LOCKED_BYTE)
            while True:
                # Gives up after ten seconds.
                with suppress(OSError):
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                    break
        else:
            import fcntl  # not on Windows

            # A file system without locks is no reason to serve nothing.
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def own_environment():
    """Return the environment without settings of Django, which were exported for production or another site."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}


def make_venv():
    """Make .venv unless it exists and works."""
    if venv_works():
        return
    print("Making .venv again, as this one does not work ..." if VENV.exists() else "Making .venv ...")
    command = [sys.executable, "-m", "venv", "--clear", VENV]
    made = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if made.returncode != 0:
        sys.exit(f"{made.stdout.strip()}\nCould not make {VENV}: the reason is above.")


def venv_works():
    """Return whether .venv has a Python that is new enough, has pip and has what was installed into it."""
    question = WORKS.format(minimum=MINIMUM_PYTHON, installed=installed_names())
    try:
        return subprocess.run([PYTHON, "-c", question], stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def installed_names():
    """Return the packages of requirements.txt, or none where it is not installed in .venv or has changed since."""
    requirements = (HERE / "requirements.txt").read_bytes()
    stamp = VENV / "requirements.txt.sha256"
    if not stamp.exists() or stamp.read_text() != hashlib.sha256(requirements).hexdigest():
        return []
    return re.findall("(?m)^[a-z0-9-]+", requirements.decode())


def install(name, *included):
    """Install a requirements file into .venv if it or a file that it includes has changed since the last time."""
    names = name, *included
    stamps = {VENV / f"{name}.sha256": hashlib.sha256((HERE / name).read_bytes()).hexdigest() for name in names}
    if all(stamp.exists() and stamp.read_text() == digest for stamp, digest in stamps.items()):
        return
    # An installation that fails halfway must not leave the stamps of the previous one.
    for stamp in stamps:
        stamp.unlink(missing_ok=True)
    print(f"Installing {name} ...")
    command = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", name]
    if subprocess.run(command, cwd=HERE).returncode != 0:
        sys.exit(f"Could not install {name}: see pip's message above, check the network and try again.")
    for stamp, digest in stamps.items():
        stamp.write_text(digest)


def check_files():
    """Exit if a file that the site needs is missing, and say how to get it."""
    missing = []
    if not WEIGHTS.is_file():
        weights = WEIGHTS.relative_to(HERE).as_posix()
        missing.append(f"{WEIGHTS} is missing. Get it back with:\n    git checkout -- {weights}")
        missing.append(
            f"or train it, in one to two hours, with:\n    {SHOWN_PYTHON} -m digit_recognizer_dl_model.train"
        )
    if not MNIST_CSV.is_file():
        missing.append(f"{MNIST_CSV} is missing. Get it with:\n    {SHOWN_PYTHON} manage.py fetch_mnist")
        if os.environ.get("MNIST_CSV"):
            missing.append("and unset MNIST_CSV, which names another file than fetch_mnist writes, or correct it.")
    if missing:
        sys.exit("\n".join(missing))


def serve(host, port):
    """Run Django's development server until it ends or is stopped; return the exit code."""
    server = None
    stopped = False

    def stop(*_):
        nonlocal stopped
        stopped = True
        if server:
            server.terminate()

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    # A browser cannot visit "every address of this machine".
    visitable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    hosts = [*filter(None, [os.environ.get("DJANGO_ALLOWED_HOSTS")]), ".localhost", "127.0.0.1", "[::1]"]
    print(f"Digit Recognizer: http://{address(visitable, port)}/  (Ctrl-C stops it)")
    server = subprocess.Popen(
        [PYTHON, "manage.py", "runserver", address(host, port)],
        cwd=HERE,
        env={**own_environment(), "DJANGO_DEBUG": "1", "DJANGO_ALLOWED_HOSTS": ",".join(hosts)},
        # A terminal also sends Ctrl-C to the server, which would print a traceback if it were still importing.
        preexec_fn=None if WINDOWS else lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
    )
    if stopped:  # the signal came while the server was being started, before stop() could reach it
        server.terminate()
    exit_code = server.wait()
    return 0 if stopped else exit_code


def address(host, port):
    """Join host and port in the form of URLs and of runserver."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def run_tests(arguments):
    """Run pytest with these arguments; return its exit code."""
    with only_one():
        make_venv()
        extras = ("requirements-production.txt", "requirements-training.txt", "requirements-scale.txt")
        install("requirements-dev.txt", *extras, "requirements.txt")
    # Ctrl-C also reaches pytest; wait until it has cleaned up and printed its summary.
    signal.signal(signal.SIGINT, lambda *_: None)
    # Small matrices are faster on one thread. This is set here because plugins import NumPy before the project does.
    environment = {"OPENBLAS_NUM_THREADS": "1", **own_environment()}
    # As many at once as there are cores; an idle process takes tests over from a busy one.
    parallel = ["-n", "auto", "--dist", "worksteal"]
    return subprocess.run([PYTHON, "-m", "pytest", *parallel, *arguments], cwd=HERE, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())

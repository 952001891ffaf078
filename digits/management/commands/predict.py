"""Read the digits in files, in folders and from standard input: what the API answers, from the shell."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from digits.management.progress import bar
from digits.numbers import Number, read_or_refuse
from digits.pictures.formats import READ, SUFFIXES
from digits.recognizer import Prediction, prepare_or_refuse, read_all
from digits.refusals import NoPicture, Refusal, TooLarge

STANDARD_INPUT = "-"
BATCH = 64  # pictures that go through the network together, and are answered at once
ERASE_LINE = "\r\x1b[K"
# The exit codes by which shells know Ctrl-C and a reader, such as `head`, that has seen enough.
INTERRUPTED, UNREAD = 130, 141

Answer = Prediction | Number | Refusal


class Command(BaseCommand):
    """`python manage.py predict`."""

    help = "Say which digit each picture shows. The exit status is 1 where a picture could not be read."
    requires_system_checks = ("weights",)  # the gallery's images may be missing

    def add_arguments(self, parser):
        """Define FILE, --number and --json."""
        parser.add_argument(
            "files",
            metavar="FILE",
            nargs="+",
            help=f"a {READ} picture, a folder of them, or - for standard input",
        )
        parser.add_argument("--number", action="store_true", help="read whole numbers, not single digits")
        parser.add_argument("--json", dest="as_json", action="store_true", help="answer with one JSON object a line")

    def handle(self, *args, files, number, as_json, **options):
        """Answer each picture, whatever becomes of the others."""
        tell = self.tell_in_json if as_json else self.tell_in_words
        sys.stdout.reconfigure(errors="backslashreplace")  # file names may have characters that it has not
        try:
            names = [name for file in files for name in names_of(file)]
            all_read = self.predict(names, read_number if number else prepare, tell)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except OSError as error:  # of the output: what can't be read is a Refusal
            # Python writes what is left when it ends, and would complain once more.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            if isinstance(error, BrokenPipeError):
                sys.exit(UNREAD)
            raise CommandError(f"The answers can't be written: {error.strerror}.") from error
        if not all_read:
            sys.exit(1)

    def predict(
        self,
        names: list[str],
        begin: Callable[[str], np.ndarray | Number | Refusal],
        tell: Callable[[str, Answer], None],
    ) -> bool:
        """Tell what becomes of each picture, batch by batch; returns whether all were read.

        begin: gives the prepared pixels of a picture, which are recognised together, or its number.
        """
        all_read = True
        shows_bar = len(names) > BATCH and self.stderr.isatty()
        for start in range(0, len(names), BATCH):
            batch = names[start : start + BATCH]
            items: list[np.ndarray | Number | Refusal] = []  # no files, as those of a batch may fill the memory
            try:
                for done, name in enumerate(batch, start):
                    if shows_bar:
                        self.draw(f"{bar(done, len(names))}  {done:,} of {len(names):,}")
                    items.append(begin(name))
            finally:
                if shows_bar:
                    self.draw("")  # the answers may go to the same terminal
            answers = answered(items)
            for name, answer in zip(batch, answers, strict=True):
                tell(name, answer)
            self.stdout.flush()  # a pipe or a file would wait for more
            all_read = all_read and not any(isinstance(answer, Refusal) for answer in answers)
        return all_read

    def tell_in_words(self, name: str, answer: Answer):
        """Write an answer, or what is wrong to standard error, where it does not get among the answers."""
        if isinstance(answer, Refusal):
            self.stdout.flush()  # so that both are in order where they meet
            self.stderr.write(f"{printable(name)}: {answer.detail}")
        else:
            self.stdout.write(f"{printable(name)}  {answer.verdict}  {answer.percent} %")

    def tell_in_json(self, name: str, answer: Answer):
        """Write an answer, or what is wrong in its place, as one line of JSON."""
        if isinstance(answer, Refusal):
            body = {"error": {"status": answer.status, "title": answer.title, "detail": answer.detail}}
        else:
            body = answer.members
        self.stdout.write(json.dumps({"file": name} | body))

    def draw(self, line: str):
        """Write over the line of the terminal that was drawn last."""
        # `str` takes the place of the style: a bar is not an error and must not be red.
        self.stderr.write(f"{ERASE_LINE}{line}", str, ending="")
        self.stderr.flush()


def prepare(name: str) -> np.ndarray | Refusal:
    """The prepared pixels of a picture, or why there are none."""
    return prepare_or_refuse(content_or_refusal(name))


def read_number(name: str) -> Number | Refusal:
    """The number in a picture, or why there is none."""
    return read_or_refuse(content_or_refusal(name))


def answered(items: list[np.ndarray | Number | Refusal]) -> list[Answer]:
    """The answers to items: pixels are recognised in one pass, what is answered stays as it is."""
    readings = iter(read_all([item for item in items if not isinstance(item, Number)]))
    answers = (item if isinstance(item, Number) else next(readings) for item in items)
    return [answer if isinstance(answer, Number | Refusal) else answer.prediction for answer in answers]


def names_of(file: str) -> list[str]:
    """The names of the pictures that an argument stands for, in order; a folder without any stands for itself."""
    if file == STANDARD_INPUT or not Path(file).is_dir():
        return [file]
    found, errors = [], []
    for folder, _, names in os.walk(file, onerror=errors.append):
        paths = [Path(folder, name) for name in names if name.lower().endswith(SUFFIXES)]
        # Not a pipe, which might never say anything; a link that leads nowhere is told of when its turn comes.
        found += [str(path) for path in paths if path.is_file() or not path.exists()]
    # A folder that can't be listed can't be opened either: that is told when its turn comes.
    return sorted(found + [error.filename for error in errors]) or [file]


def content_or_refusal(name: str) -> bytes | Refusal:
    """The encoded picture, or why there is none."""
    try:
        return content(name)
    except Refusal as refusal:
        return refusal


def content(name: str) -> bytes:
    """An encoded picture, read no further than tells that it is too large."""
    most = settings.MAX_PICTURE_BYTES + 1
    try:
        if name == STANDARD_INPUT:
            data = sys.stdin.buffer.read(most)
        else:
            with open(name, "rb", opener=open_at_once) as file:
                data = file.read(most)
    except IsADirectoryError as error:
        raise NoPicture(f"There is no {READ} picture in this folder.") from error
    except OSError as error:
        raise NoPicture(f"{error.strerror or error}.") from error
    if not data:
        is_pipe = name != STANDARD_INPUT and Path(name).is_fifo()
        raise NoPicture("Nothing writes to this pipe." if is_pipe else "This file is empty.")
    if len(data) == most:
        raise TooLarge.over("picture", settings.MAX_PICTURE_BYTES)
    return data


def open_at_once(path: str, flags: int) -> int:
    """Open a file without waiting for a program that will write to it, as a named pipe would have it."""
    if os.name == "nt":  # which has no named pipes among its files
        return os.open(path, flags)
    descriptor = os.open(path, flags | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)  # but what is being written is waited for
    return descriptor


def printable(name: str) -> str:
    """A file name on one line: line ends, escape sequences and broken UTF-8 as Python would write them."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in name)

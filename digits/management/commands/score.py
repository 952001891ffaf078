"""Read the digits in any number of pictures, on one machine or on many; docs/scaling.md tells how."""

import argparse
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from digits.management.progress import Progress, duration
from digits.scoring import engine
from digits.scoring.files import files_at
from digits.scoring.forms import FORMS
from digits.scoring.job import SUCCESS, WHAT, Asked, Job, Mismatch
from digits.scoring.rows import UnusableInput
from digits.scoring.workers import BATCH, PartScorer

INTERRUPTED = 130  # the exit code by which shells know Ctrl-C
SUFFIXES = {".parquet": "parquet", ".csv": "csv"}
JOINED = ".parts"  # what the folder of an output that is one file is called besides


class Command(BaseCommand):
    """`python manage.py score`."""

    help = "Read the digits in any number of pictures. What is interrupted goes on when the same command is run again."
    requires_system_checks = ("weights",)  # the gallery's images may be missing

    def add_arguments(self, parser):
        """Define INPUT, OUTPUT and the options."""
        parser.add_argument("input", metavar="INPUT", help=f"{WHAT}, here or at an address such as s3://bucket/scans")
        parser.add_argument(
            "output",
            metavar="OUTPUT",
            help="a file, OUTPUT.parquet or OUTPUT.csv, or a folder, which gets a file for each part of the input",
        )
        parser.add_argument(
            "--format",
            dest="form",
            choices=FORMS,
            help="of the output; training is the CSV that training reads, of the digits that are certain"
            " (default: by the name, parquet in a folder)",
        )
        parser.add_argument("--local", action="store_true", help="work in this process, without Ray; for small jobs")
        parser.add_argument("--address", help="of a running Ray cluster; without it, one is started on this machine")
        parser.add_argument("--workers", type=positive, help="at most so many (default: one for each processor)")
        parser.add_argument("--worker-cpus", type=float, default=1, help="processors of a worker (default: 1)")
        parser.add_argument(
            "--worker-memory",
            type=positive,
            default=engine.Resources().memory,
            help="megabytes set aside for a worker (default: %(default)s)",
        )
        parser.add_argument(
            "--batch-size",
            type=positive,
            default=BATCH,
            help="rows that go through the network together (default: %(default)s)",
        )
        parser.add_argument(
            "--part-size", type=positive, help="rows of a part (default: 1,000 of pictures, 10,000 of pixels)"
        )
        parser.add_argument("--column", help="of Parquet files, where several could be read")

    def handle(self, *args, input, output, form, local, **options):  # noqa: A002 - as the option is called
        """Divide the input, score what is not done yet, and put the parts together where one file is wanted."""
        form = form or SUFFIXES.get(Path(output).suffix.lower(), "parquet")
        is_file = output.lower().endswith(FORMS[form].suffix)
        check_installed(input, output, FORMS[form].needs, local)
        folder = absolute(f"{output}{JOINED}" if is_file else output)
        if is_file and exists(output):
            if not exists(f"{folder}/{SUCCESS}"):
                raise CommandError(f"{output} exists already; name another file, or remove it to have it written anew.")
            # Killed between joining the parts and removing them.
            remove(folder)
            self.stderr.write(f"{output} is complete.", str)
            return
        asked = Asked(input, form, options["part_size"], options["column"])
        try:
            job = Job.started(folder, asked)
            self.score(job, folder, None if local else resources_of(options), options["batch_size"])
            if is_file:
                job.join(files_at(absolute(output))[1])
                remove(folder)
        except (UnusableInput, Mismatch, engine.Failed) as error:
            raise CommandError(str(error)) from error
        except ModuleNotFoundError as error:
            raise CommandError(missing([error.name])) from error
        except KeyboardInterrupt:
            self.stderr.write("Interrupted; the same command goes on from here.", str)
            sys.exit(INTERRUPTED)

    def score(self, job: Job, folder: str, resources: engine.Resources | None, batch: int) -> None:
        """Score the parts that are not done yet, and tell how it goes."""
        pending = job.pending()
        left = sum(rows for _, _, rows in pending)
        if not pending:
            self.stderr.write(f"All {job.rows_in_all:,} rows are done already.", str)
            job.finish()
            return
        if left < job.rows_in_all:
            self.stderr.write(f"{job.rows_in_all - left:,} of {job.rows_in_all:,} rows are done already.", str)
        progress = Progress(job.rows_in_all, self.draw, self.stderr.isatty(), job.rows_in_all - left)
        uncertain = errors = 0
        try:
            if resources:
                done = on_ray(folder, pending, batch, resources, progress)
            else:
                done = in_this_process(folder, pending, batch, progress)
            for told in done:
                uncertain += told["uncertain"]
                errors += told["errors"]
        finally:
            progress.erase()
        if job.pending():
            raise CommandError("Not all parts were scored; the same command goes on from here.")
        job.finish()
        self.stderr.write(
            f"{left:,} rows in {duration(progress.seconds)}, {progress.rate:,.0f} a second:"
            f" {uncertain:,} not sure, {errors:,} not read.",
            str,
        )

    def draw(self, text: str) -> None:
        # `str` takes the place of the style: progress is not an error and must not be red.
        self.stderr.write(text, str, ending="")
        self.stderr.flush()


def in_this_process(folder: str, pending: list, batch: int, progress: Progress) -> Iterator[dict]:
    """Score these parts one after the other; yields what is told of each."""
    scorer = PartScorer(folder, batch)
    for number, place, _ in pending:
        yield scorer.score(number, place, progress.add)


def on_ray(folder: str, pending: list, batch: int, resources: engine.Resources, progress: Progress) -> Iterator[dict]:
    """The same by workers; a part counts as progress when it is done."""
    for count, told in enumerate(engine.run(folder, pending, batch, resources)):
        if count == 0:  # Ray took its time to start
            progress.started(told["seconds"])
        progress.add(told["rows"])
        yield told


def resources_of(options: dict) -> engine.Resources:
    return engine.Resources(options["address"], options["workers"], options["worker_cpus"], options["worker_memory"])


def check_installed(source: str, output: str, needs: tuple[str, ...], local: bool) -> None:
    """Say at once which packages are missing, not after an hour."""
    wanted = [*needs, *([] if local else ["ray", "pyarrow"])]
    if re.search(r"\.parquet$", source, re.IGNORECASE):
        wanted.append("pyarrow")
    if "://" in source or "://" in output:
        wanted.append("fsspec")
    if absent := [name for name in dict.fromkeys(wanted) if not find_spec(name)]:
        raise CommandError(missing(absent))


def missing(names: list[str]) -> str:
    return (
        f"This needs {' and '.join(names)}: python -m pip install -r requirements-scale.txt"
        " (CSV of local files needs nothing but --local)."
    )


def exists(output: str) -> bool:
    files, path = files_at(absolute(output))
    return files.exists(path)


def remove(folder: str) -> None:
    files, path = files_at(folder)
    files.remove(path)


def absolute(address: str) -> str:
    """An address as all workers understand it."""
    return address if "://" in address else Path(address).absolute().as_posix()


def positive(text: str) -> int:
    """A number of at least one, or the error whose message argparse shows."""
    if not (text.isdecimal() and int(text) >= 1):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number of at least 1")
    return int(text)

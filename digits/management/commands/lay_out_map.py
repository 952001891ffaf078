"""Compute the map's layout for the gallery's tiles and the present network, and measure it."""

from django.core.management.base import BaseCommand, CommandError

from digits.gallery import gallery
from digits.management.progress import Progress, duration
from digits.map.layout import LEAST_TILES, MOST_TILES, SHIPPED, compute, computed_file
from digits.map.tsne import ROUNDS, STEPS


class Command(BaseCommand):
    """`python manage.py lay_out_map`."""

    help = "Lay all tiles out on the map, which takes about a minute. The page /map/ shows the result at once."

    def add_arguments(self, parser):
        """Define --ship."""
        parser.add_argument("--ship", action="store_true", help=f"write {SHIPPED.name} beside the code, to be shipped")

    def handle(self, *args, ship, **options):
        """Compute, write and measure."""
        tiles = len(gallery())
        if not LEAST_TILES <= tiles <= MOST_TILES:
            raise CommandError(f"A map has {LEAST_TILES} to {MOST_TILES:,} tiles; the gallery has {tiles:,}.")
        progress = Progress(STEPS + ROUNDS, self.draw, self.stderr.isatty())
        layout, quality = compute(progress.add)
        progress.erase()
        path = SHIPPED if ship else computed_file(gallery())
        try:
            layout.write(path)
        except OSError as error:
            raise CommandError(f"{path} can't be written: {error.strerror}.") from error
        self.stdout.write(f"{tiles:,} tiles laid out in {duration(progress.seconds)}: {path}")
        if quality.same_label is not None:
            self.stdout.write(
                f"10 nearest on the map with the same label: {quality.same_label:.2%}"
                f" (in the network's features: {quality.same_label_in_features:.2%})"
            )
        self.stdout.write(f"trustworthiness, 10 neighbours: {quality.trustworthiness:.4f}")

    def draw(self, text: str):
        """Write to the terminal as it is."""
        # `str` takes the place of the style: progress is not an error and must not be red.
        self.stderr.write(text, str, ending="")
        self.stderr.flush()

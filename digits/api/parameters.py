"""The parameters in the address of a request to the API."""

import re
from collections.abc import Collection

from django.http import QueryDict

from ..refusals import BadParameter


def sent_names(query: QueryDict, field: str, known: Collection[str]) -> list[str]:
    """The names in fields of the address, separated by commas; raises a Refusal for one that is not known."""
    names = [name.strip() for value in query.getlist(field) for name in value.split(",") if name.strip()]
    if not set(names) <= set(known):
        raise BadParameter(f"`{field}` accepts {' and '.join(known)}.")
    return names


def sent_number(query: QueryDict, field: str, least: int, most: int) -> int | None:
    """The number in a field of the address, or None; raises a Refusal for anything but a whole number in between."""
    value = query.get(field)
    if not value:  # forms send fields that were left empty, too
        return None
    if not re.fullmatch("[0-9]{1,10}", value) or not least <= int(value) <= most:
        raise BadParameter(f"`{field}` must be an integer from {least} to {most}.")
    return int(value)

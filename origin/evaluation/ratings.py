"""Ratings files as interactions in the order of time."""

import csv
from collections.abc import Iterator
from pathlib import Path

from attune.consent import Consent
from attune.context import Context
from attune.contract.event import Action, Interaction

ACTION: Action = "purchase"
"""Every rating counts alike: a low one, too, says that this user met this item now."""

MILLISECONDS_FROM = 100_000_000_000
"""Times from here on are taken as milliseconds; as seconds they would lie in the year 5138."""


class RatingsError(Exception):
    """A ratings file cannot be read; the message names the file and the line."""


def read_ratings(path: Path) -> list[Interaction]:
    """Return the file's ratings as interactions, oldest first, ties in the file's order.

    A line is ``user::item::rating::timestamp``, or the same or ``user,item,timestamp`` separated by
    commas or tabs; a first line whose time is no number is a header.

    Raises:
        RatingsError: for a file or a line that cannot be read.
    """
    try:
        with path.open(encoding="utf-8", newline="") as text:
            lines = [entry for entry in enumerate(_cells(text), 1) if entry[1]]
    except (OSError, UnicodeDecodeError) as error:
        raise RatingsError(f"{path}: {error}") from error
    found = [
        _interaction(path, line, cells)
        for line, cells in lines
        if line > 1 or cells[-1].strip().isdecimal()
    ]
    return sorted(found, key=lambda event: event.occurred_at_ms)


def _cells(text: Iterator[str]) -> Iterator[list[str]]:
    for line in text:
        content = line.rstrip("\r\n")
        if "::" in content:
            yield content.split("::")
        else:
            yield from csv.reader([content], delimiter="\t" if "\t" in content else ",")


def _interaction(path: Path, line: int, cells: list[str]) -> Interaction:
    if len(cells) not in (3, 4):
        raise RatingsError(f"{path}, line {line}: must hold user, item, (rating,) timestamp")
    user, item, time = cells[0].strip(), cells[1].strip(), cells[-1].strip()
    if not user or not item or not time.isdecimal():
        raise RatingsError(f"{path}, line {line}: needs a user, an item and a whole number as time")
    moment = int(time)
    return Interaction(
        event_id=f"rating-{line}",
        consent=Consent.FULL,
        user_id=user,
        session_id=user,
        item_id=item,
        action=ACTION,
        occurred_at_ms=moment if moment >= MILLISECONDS_FROM else moment * 1000,
        surface="home",
        context=Context(),
    )

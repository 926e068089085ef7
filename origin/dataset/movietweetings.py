"""MovieTweetings as items and events: films, and what people on Twitter thought of them.

A rating is a judgement after the fact, attune learns from what people do. So each rating becomes
one interaction whose reward grows with it:

    9-10  purchase     7-8  click     5-6  view     0-4  dismiss

The data set is by S. Dooms, T. De Pessemier and L. Martens (2013), under the MIT licence.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from re import compile as pattern
from types import MappingProxyType

from attune.consent import Consent
from attune.context import Context
from attune.contract.decode import ContractError
from attune.contract.event import Action, Interaction
from attune.contract.item import Item
from origin.dataset.download import RemoteFile
from origin.dataset.records import Sessions, digest
from origin.dataset.rows import DatasetError, Reject, Row

ITEMS_FILE = "movies.dat"
EVENTS_FILE = "ratings.dat"
LINE_LENGTH_MAX = 10_000

SNAPSHOT = (
    "https://raw.githubusercontent.com/sidooms/MovieTweetings/"
    "94be4e8791200c91353872bbca55f801e6387d30/snapshots/60K/"
)
FILES = (
    RemoteFile(
        SNAPSHOT + ITEMS_FILE,
        ITEMS_FILE,
        "44bfd5b2f5be60ba69013c33eda883d12837468d72d847822cd2b853883cdf32",
    ),
    RemoteFile(
        SNAPSHOT + EVENTS_FILE,
        EVENTS_FILE,
        "f9fe693e38788311b4cc752b98e0add88f4fbe9344c6af75e24b0c41cbf824f8",
    ),
)

ACTION_FROM: tuple[tuple[int, Action], ...] = ((9, "purchase"), (7, "click"), (5, "view"))
TITLE_AND_YEAR = pattern(r"(?P<title>.*\S)\s+\((?P<year>\d{4})\)")
MILLISECONDS_PER_YEAR = 365.2425 * 86_400_000


def read_lines(path: Path, columns: int) -> Iterator[Row | Reject]:
    """Yield the rows of a file whose columns are separated by `::`, under their numbers."""
    try:
        with path.open(encoding="utf-8", errors="surrogateescape") as text:
            for line, content in enumerate(text, 1):
                cells = content.rstrip("\r\n").split("::")
                if len(cells) == columns and len(content) <= LINE_LENGTH_MAX:
                    yield Row(line, {str(number): cell for number, cell in enumerate(cells)})
                else:
                    yield Reject(line, "", f"must hold {columns} columns separated by ::")
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror or error}") from error


def item_rows(folder: Path) -> Iterator[Row | Reject]:
    """Yield the lines of the films' file: id, title with year, genres."""
    return read_lines(folder / ITEMS_FILE, 3)


def event_rows(folder: Path) -> Sequence[Row | Reject]:
    """Return the lines of the ratings' file in the order in which people rated.

    The file is sorted by user; learning needs it by time, and 100,000 ratings fit in memory.
    """
    rows = list(read_lines(folder / EVENTS_FILE, 4))
    return sorted(rows, key=rated_at)


def rated_at(row: Row | Reject) -> tuple[int, int]:
    """Return when a line's rating was given; bad lines come first."""
    cell = str(row.values["3"]) if isinstance(row, Row) else ""
    return (int(cell) if cell.isdecimal() else 0, row.line)


def movie_id(number: str) -> str:
    """Return the item's id: the number as the Internet Movie Database writes it."""
    return f"tt{number.zfill(7)}"


def movie_of(row: Row) -> Item:
    """Return the film of a line as an item.

    >>> movie_of(Row(1, {"0": "0007264", "1": "The Rink (1916)", "2": "Comedy|Short"})).tags
    ('comedy', 'short', '1910s')
    """
    number, name, genres = (str(row.values[column]) for column in "012")
    if not number.isdecimal():
        raise ContractError("item_id", f"must be a number, not {number[:40]!r}")
    matched = TITLE_AND_YEAR.fullmatch(name)
    if matched is None:
        raise ContractError("title", "must end with the year in brackets")
    title, year = matched["title"], int(matched["year"])
    kinds = [genre for genre in genres.split("|") if genre]
    item_id, decade = movie_id(number), f"{year // 10 * 10}s"
    return Item(
        item_id=item_id,
        title=title,
        description=description(kinds, year),
        category=kinds[0] if kinds else "Film",
        tags=(*(kind.casefold() for kind in kinds), decade),
        image_url=f"/v1/media/{item_id}.webp",
        clip_url=f"/v1/media/{item_id}.clip.webp",
        item_url=f"https://www.imdb.com/title/{item_id}/",
        published_at_ms=max(0, round((year - 1970) * MILLISECONDS_PER_YEAR)),
        attributes=MappingProxyType({"year": year, "decade": decade}),
    )


def description(kinds: Sequence[str], year: int) -> str:
    """Return a sentence about a film of which only genres and year are known.

    >>> description(["Crime", "Drama"], 1913)
    'Crime and drama, released in 1913.'
    """
    *most, last = [kind.casefold() for kind in kinds] or ["film"]
    named = f"{', '.join(most)} and {last}" if most else last
    return f"{named[0].upper()}{named[1:]}, released in {year}."


class Ratings:
    """Ratings as interactions; keeps who is in which session."""

    def __init__(self) -> None:
        self._sessions = Sessions()

    def interaction_of(self, row: Row) -> Interaction:
        """Return the interaction that a line stands for."""
        user, movie, rating, time = (str(row.values[column]) for column in "0123")
        for field, cell in (("user_id", user), ("item_id", movie), ("occurred_at_ms", time)):
            if not cell.isdecimal():
                raise ContractError(field, f"must be a number, not {cell[:40]!r}")
        user_id, occurred_at_ms = f"mt-{user}", int(time) * 1000
        return Interaction(
            event_id="mt-" + digest(f"{user}\n{movie}\n{rating}\n{time}"),
            consent=Consent.FULL,
            user_id=user_id,
            session_id=self._sessions.session_of(user_id, occurred_at_ms),
            item_id=movie_id(movie),
            action=action_of(rating),
            occurred_at_ms=occurred_at_ms,
            surface="home",
            context=Context(),
        )


def action_of(rating: str) -> Action:
    """Return what a rating from 0 to 10 stands for.

    >>> [action_of(rating) for rating in ("10", "8", "5", "1")]
    ['purchase', 'click', 'view', 'dismiss']
    """
    if not rating.isdecimal() or int(rating) > 10:
        raise ContractError("rating", f"must be from 0 to 10, not {rating[:40]!r}")
    for least, action in ACTION_FROM:
        if int(rating) >= least:
            return action
    return "dismiss"

"""The users that this process owns, in memory: a batch reads only those that it meets first.

A user belongs to the partition of the user's id, and so to one process at a time. What is held here
is the stored state, in columns; ``forget`` empties it as soon as it may be out of date.
"""

from collections.abc import Sequence
from operator import add

import numpy as np
from numpy.typing import NDArray

from attune.contract.bundle import EMBEDDING_DIMENSION
from origin.storage.port import USER_RECENT_MAX, LearningTransaction, UserColumns
from origin.storage.user_columns import (
    NO_EXPOSURES,
    VERSION,
    current_recent,
    exposure_bytes,
    read_exposures,
)

USERS_MAX = 250_000
"""Users held; one takes 0.6 KB. With more than that in turn, all are read anew now and then."""

ROWS_MIN = 1_024

NOTHING_WAITS = -1

RECENT_HEADS = [bytes((VERSION, count)) for count in range(USER_RECENT_MAX + 1)]
RECENT_HEAD_BYTES = 2


class UserStates:
    """Columns of user state, with a place for each user.

    ``embeddings`` (fixed point), ``covers_until_ms``, ``interactions``, ``recents`` (entries as
    stored, and how many in ``recent_counts``) and ``exposures`` (None where ``shown`` is false) may
    be changed in place by whoever writes them back with ``stored``. ``waiting_ms`` is the latest
    interaction among a user's deferred events, NOTHING_WAITS where there is none.
    """

    def __init__(self, users_max: int = USERS_MAX) -> None:
        self._users_max = users_max
        self._epoch = -1
        self.forget()

    def forget(self) -> None:
        """Drop everything."""
        self._places: dict[str, int] = {}
        self.user_ids: list[str] = []
        self.embeddings = np.zeros((ROWS_MIN, EMBEDDING_DIMENSION), dtype=np.int16)
        self.covers_until_ms = np.zeros(ROWS_MIN, dtype=np.int64)
        self.interactions = np.zeros(ROWS_MIN, dtype=np.int64)
        self.waiting_ms = np.zeros(ROWS_MIN, dtype=np.int64)
        self.recents: list[bytes] = []
        self.recent_counts = np.zeros(ROWS_MIN, dtype=np.int64)
        self.shown = np.zeros(ROWS_MIN, dtype=bool)
        self.exposures: list[dict[str, int] | None] = []

    async def places(
        self, user_ids: Sequence[str], transaction: LearningTransaction
    ) -> NDArray[np.int64]:
        """Return where each of the users stands, read from the store if need be.

        From here to its end, the transaction keeps everybody else from changing users.
        """
        epoch = await transaction.own_users()
        if epoch != self._epoch:
            self.forget()
            self._epoch = epoch
        found = list(map(self._places.get, user_ids))
        if None not in found:
            return np.array(found, dtype=np.int64)
        unknown = [name for name, place in zip(user_ids, found, strict=True) if place is None]
        if len(self.user_ids) + len(unknown) > self._users_max:
            self.forget()
            unknown = list(user_ids)
        columns = await transaction.user_columns(unknown)
        self._add(columns)
        # Only events of users with a row wait.
        if columns.user_ids:
            waiting = await transaction.deferred_latest(columns.user_ids)
            for user_id, latest_ms in waiting.items():
                self.waiting_ms[self._places[user_id]] = latest_ms
        self._append([user_id for user_id in unknown if user_id not in self._places])
        return np.array(list(map(self._places.__getitem__, user_ids)), dtype=np.int64)

    def stored(self, places: NDArray[np.int64]) -> UserColumns:
        """Return some users' rows as they are to be stored."""
        listed: list[int] = places.tolist()
        recents = map(self.recents.__getitem__, listed)
        heads = map(RECENT_HEADS.__getitem__, self.recent_counts[places].tolist())
        exposures = [NO_EXPOSURES] * len(listed)
        for number in np.flatnonzero(self.shown[places]).tolist():
            exposures[number] = exposure_bytes(self.exposures[listed[number]] or {})
        return UserColumns(
            user_ids=list(map(self.user_ids.__getitem__, listed)),
            embeddings=self.embeddings[places],
            covers_until_ms=self.covers_until_ms[places],
            interactions=self.interactions[places],
            recents=list(map(add, heads, recents)),
            exposures=exposures,
        )

    def _add(self, columns: UserColumns) -> None:
        start = len(self.user_ids)
        self._append(columns.user_ids)
        stop = len(self.user_ids)
        self.embeddings[start:stop] = columns.embeddings
        self.covers_until_ms[start:stop] = columns.covers_until_ms
        self.interactions[start:stop] = columns.interactions
        recents = list(map(current_recent, columns.recents))
        self.recents[start:stop] = [one[RECENT_HEAD_BYTES:] for one in recents]
        self.recent_counts[start:stop] = [one[1] for one in recents]
        self.exposures[start:stop] = [read_exposures(one) or None for one in columns.exposures]
        self.shown[start:stop] = [len(one) > 1 for one in columns.exposures]

    def _append(self, user_ids: Sequence[str]) -> None:
        start, stop = len(self.user_ids), len(self.user_ids) + len(user_ids)
        self._places.update(zip(user_ids, range(start, stop), strict=True))
        self.user_ids.extend(user_ids)
        self.recents.extend([b""] * len(user_ids))
        self.exposures.extend([None] * len(user_ids))
        if stop > len(self.interactions):
            rows = max(2 * len(self.interactions), stop)
            self.embeddings.resize((rows, EMBEDDING_DIMENSION), refcheck=False)
            self.covers_until_ms.resize(rows, refcheck=False)
            self.interactions.resize(rows, refcheck=False)
            self.waiting_ms.resize(rows, refcheck=False)
            self.recent_counts.resize(rows, refcheck=False)
            self.shown.resize(rows, refcheck=False)
        self.waiting_ms[start:stop] = NOTHING_WAITS

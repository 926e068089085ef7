"""User embeddings moved by a batch of interactions: the momentum rule on many users at once.

The rule is ``attune.embedding``'s. A user's moves must follow each other, different users' need
not, so the batch runs in rounds: round k makes the k-th move of every user who has one, as one
matrix operation. A user's result is rounded to float32 after every move, as it would be if it had
been stored: how the log happens to be cut into batches changes nothing.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from origin.storage.port import Embedding

Move = tuple[Embedding, float]
"""The item's embedding and the step towards it, from ``attune.embedding.step_size``."""


def moved(
    embeddings: Mapping[str, Embedding], moves: Mapping[str, Sequence[Move]]
) -> dict[str, Embedding]:
    """Return the embeddings of the users in ``moves`` after their moves, of length 1.

    >>> axes = np.eye(64, dtype=np.float32)
    >>> after = moved({"ann": axes[0]}, {"ann": [(axes[1], 0.5)]})
    >>> [round(float(x), 4) for x in after["ann"][:2]]
    [0.7071, 0.7071]
    """
    # Who moves most comes first, so that those who still move are always the first rows.
    users = sorted(moves, key=lambda user_id: -len(moves[user_id]))
    if not users:
        return {}
    state = np.stack([embeddings[user_id] for user_id in users])  # (U, D)
    for place in range(len(moves[users[0]])):
        now = [moves[user_id][place] for user_id in users if len(moves[user_id]) > place]
        items = np.stack([item for item, _ in now])  # (A, D), A <= U
        steps = np.array([step for _, step in now])  # (A,)
        state[: len(now)] = _round(state[: len(now)], items, steps)
    return dict(zip(users, state, strict=True))


def _round(
    state: NDArray[np.float32], items: NDArray[np.float32], steps: NDArray[np.float64]
) -> NDArray[np.float32]:
    before = state.astype(np.float64)
    after = before + steps[:, None] * (items - before)  # (A, D)
    lengths = np.sqrt((after * after).sum(axis=1, keepdims=True))  # (A, 1)
    # A step of 0 says that nothing happened; the zero vector has no direction.
    after = np.where(steps[:, None] == 0.0, before, after / np.where(lengths == 0.0, 1.0, lengths))
    return after.astype(np.float32)

"""Content embeddings: where an item stands before anybody has met it, from its own words.

The idea. Give every token its own random direction; an item points along the weighted sum of its
tokens' directions. Random directions in 64 dimensions are nearly orthogonal (their cosine has a
standard deviation of 1/8), so the cosine of two items is close to the share of weighted tokens that
they have in common - a random projection of the bag of words (Johnson & Lindenstrauss, 1984).

A token's direction is drawn from a hash of the token. So nothing is fitted or stored, an item gets
the same embedding on every machine, and one that arrives alone fits in with all before it. Training
replaces these embeddings by ones learned from what people do.
"""

import hashlib
import re
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from attune.contract.bundle import EMBEDDING_DIMENSION
from attune.contract.item import Item
from origin.storage.port import Embedding

VERSION = "content-1"

CATEGORY_WEIGHT, TAG_WEIGHT, TITLE_WEIGHT, DESCRIPTION_WEIGHT = 1.0, 0.7, 0.35, 0.12
WORDS_MAX = 60
WORD = re.compile(r"\w{4,}")
TOKENS_REMEMBERED = 50_000  # directions of 64 numbers: 25 MB


def content_embedding(item: Item) -> Embedding:
    """Return the item's embedding: unit length, (64,).

    >>> a, b, c = (content_embedding(Item(str(n), t, category=k)) for n, t, k in
    ...            ((1, "Blue mug", "Kitchen"), (2, "Red mug", "Kitchen"), (3, "Oak sofa", "Home")))
    >>> bool(a @ b > 0.6 > a @ c)
    True
    """
    vector = np.zeros(EMBEDDING_DIMENSION)
    for token, weight in weighted_tokens(item):
        vector += weight * direction(token)
    length = float(np.linalg.norm(vector)) or 1.0
    return (vector / length).astype(np.float32)


def weighted_tokens(item: Item) -> Iterator[tuple[str, float]]:
    """Yield what an item is made of, with how much it says about the item."""
    if item.category:
        yield f"category {item.category.casefold()}", CATEGORY_WEIGHT
    for tag in item.tags:
        yield f"tag {tag.casefold()}", TAG_WEIGHT
    for text, weight in ((item.title, TITLE_WEIGHT), (item.description, DESCRIPTION_WEIGHT)):
        for word in WORD.findall(text.casefold())[:WORDS_MAX]:
            yield word, weight
    # The item's own direction: two items of equal words stay distinguishable.
    yield f"item {item.item_id}", DESCRIPTION_WEIGHT


@lru_cache(maxsize=TOKENS_REMEMBERED)
def direction(token: str) -> NDArray[np.float64]:
    """Return the token's direction: unit length, (64,)."""
    seed = int.from_bytes(hashlib.blake2b(token.encode(), digest_size=8).digest())
    vector = np.random.default_rng(seed).standard_normal(EMBEDDING_DIMENSION)
    return vector / np.linalg.norm(vector)

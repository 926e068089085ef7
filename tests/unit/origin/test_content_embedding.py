"""Content embeddings: items of the same words point the same way."""

import numpy as np

from attune.contract.item import Item
from origin.content_embedding import content_embedding
from origin.dataset.storefront import build_storefront


def test_an_embedding_has_unit_length_and_depends_on_the_item_alone() -> None:
    item = Item("a", "Blue mug", "For tea.", "Kitchen", ("nordic",))
    assert content_embedding(item).tolist() == content_embedding(item).tolist()
    assert np.isclose(np.linalg.norm(content_embedding(item)), 1.0)


def test_an_item_of_few_words_still_has_a_direction() -> None:
    assert np.isclose(np.linalg.norm(content_embedding(Item("a", "x"))), 1.0)


def test_what_looks_alike_by_its_words_is_liked_alike() -> None:
    shop = build_storefront(items=240)
    embeddings = np.stack([content_embedding(item) for item in shop.items])  # (N, 64)
    likeness = embeddings @ embeddings.T
    np.fill_diagonal(likeness, -1.0)
    nearest = likeness.argmax(axis=1)
    latent = np.sum(shop.factors * shop.factors[nearest], axis=1)
    # Unrelated items have a latent cosine of 0 +- 1/4 (16 factors), so their mean is 0 +- .016.
    assert latent.mean() > 0.4

"""Drawn pictures and clips on disk: each is drawn once, a few at a time, up to a limit."""

import asyncio
import hashlib
import os
import secrets
from pathlib import Path
from typing import Literal

from attune.contract.item import Item

Drawing = Literal["image", "clip"]

DRAWINGS_AT_ONCE = 1
"""A clip takes some 100 ms of one core; pages that ask for thirty must not starve the answers."""

FILES_MAX = 50_000
"""About 2 GB of pictures and clips; beyond it the oldest tenth goes."""


class ArtworkCache:
    """Files by item, kind and title, so that a renamed item is drawn anew."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._drawing = asyncio.Semaphore(DRAWINGS_AT_ONCE)
        self._files: int | None = None

    async def path(self, kind: Drawing, item: Item) -> Path:
        """Return the file of the item's picture or clip, drawn now unless it is there."""
        name = f"{item.item_id}\n{item.category}\n{item.title}\n{kind}"
        digest = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
        path = self._folder / digest[:2] / f"{digest}.webp"
        if not path.exists():
            async with self._drawing:
                if not path.exists():
                    await asyncio.to_thread(self._draw, kind, item, path)
        return path

    def _draw(self, kind: Drawing, item: Item, path: Path) -> None:
        from origin.dataset.artwork import draw_clip, draw_image  # loaded here: Pillow is slow

        draw = draw_clip if kind == "clip" else draw_image
        content = draw(item.item_id, item.category, item.title)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written aside and renamed, so that nobody reads half a picture.
        aside = path.with_suffix(f".{secrets.token_hex(4)}")
        aside.write_bytes(content)
        aside.rename(path)
        self._count_one()

    def _count_one(self) -> None:
        files = list(self._folder.glob("*/*.webp")) if self._files is None else None
        self._files = len(files) if files is not None else (self._files or 0) + 1
        if self._files > FILES_MAX:
            oldest = sorted(self._folder.glob("*/*.webp"), key=os.path.getmtime)
            for path in oldest[: FILES_MAX // 10]:
                path.unlink(missing_ok=True)
            self._files = None

"""Drawn pictures and clips on disk: each is drawn once, in a process aside, up to a limit."""

import asyncio
import hashlib
import os
import secrets
import signal
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

from attune.contract.item import Item

Drawing = Literal["image", "clip"]

FILES_MAX = 50_000
"""About 3 GB of pictures and clips; beyond it the oldest tenth goes."""

NICENESS = 10
"""A picture takes 70 ms and a clip 300 ms of a core, which answers need more."""


class ArtworkCache:
    """Files by item, kind and title, so that a renamed item is drawn anew.

    One process draws, one picture after the other: in a thread it would hold the interpreter, and
    every answer would wait for it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._artist: ProcessPoolExecutor | None = None
        self._drawing: dict[Path, asyncio.Future[None]] = {}
        self._files: int | None = None

    async def path(self, kind: Drawing, item: Item) -> Path:
        """Return the file of the item's picture or clip, drawn now unless it is there."""
        name = f"{item.item_id}\n{item.category}\n{item.title}\n{kind}"
        digest = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
        path = self._folder / digest[:2] / f"{digest}.webp"
        if path not in self._drawing and not path.exists():
            self._drawing[path] = asyncio.ensure_future(self._drawn(kind, item, path))
        if path in self._drawing:
            await asyncio.shield(self._drawing[path])
        return path

    def close(self) -> None:
        """End the process that draws."""
        if self._artist is not None:
            self._artist.shutdown(cancel_futures=True)

    async def _drawn(self, kind: Drawing, item: Item, path: Path) -> None:
        try:
            await self._in_aside_process(kind, item, path)
            await asyncio.to_thread(self._count_one)
        finally:
            del self._drawing[path]

    async def _in_aside_process(self, kind: Drawing, item: Item, path: Path) -> None:
        if self._artist is None:
            self._artist = ProcessPoolExecutor(1, get_context("spawn"), initializer=stand_aside)
        arguments = (kind, item.item_id, item.category, item.title, path)
        try:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._artist, draw, *arguments)
        except BrokenProcessPool:
            self._artist = None  # Somebody killed it; the next picture starts another.
            raise

    def _count_one(self) -> None:
        if self._files is None:
            self._files = sum(1 for _ in self._folder.glob("*/*.webp"))
        self._files += 1
        if self._files > FILES_MAX:
            oldest = sorted(self._folder.glob("*/*.webp"), key=os.path.getmtime)
            for path in oldest[: FILES_MAX // 10]:
                path.unlink(missing_ok=True)
            self._files = None


def stand_aside() -> None:
    """Leave the cores to answers, and the decision to stop to the process that asked."""
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def draw(kind: Drawing, item_id: str, category: str, title: str, path: Path) -> None:
    """Draw the item's picture or clip into the file."""
    from origin.dataset.artwork import draw_clip, draw_image  # loaded here: Pillow is slow

    content = (draw_clip if kind == "clip" else draw_image)(item_id, category, title)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written aside and renamed, so that nobody reads half a picture.
    aside = path.with_suffix(f".{secrets.token_hex(4)}")
    aside.write_bytes(content)
    aside.rename(path)

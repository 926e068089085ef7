"""One file's way into an installation: read, convert, write, count, tell."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Generic, TypeVar

from origin.commands.filling import Destination, fill, progress_bar, tell_rejects, write_all
from origin.commands.report import FigureTree
from origin.dataset.loading import Reading, RejectsFile, Summary
from origin.dataset.rows import RowSource, format_of, open_rows

Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class FileJob(Generic[Record]):
    """A file, how it is read, and how its records are written.

    `write` returns how many of a batch were new, or whatever else `counted_as` names. `finish` runs
    once after the last batch, with a callback for its progress.
    """

    file: Path
    file_format: str | None
    rejects: Path | None
    as_json: bool
    reading: Reading[Record]
    batch_size: int
    write: Callable[[Destination, Sequence[Record]], Awaitable[int]]
    counted_as: str = "new"
    finish: Callable[[Destination, Callable[[int], object]], Awaitable[None]] | None = None

    def run(self) -> dict[str, FigureTree]:
        """Load the file; return what became of it."""
        started_s = time.monotonic()
        summary = Summary()
        new = fill(lambda destination: self._load(destination, summary))
        return {
            "file": str(self.file),
            **asdict(summary),
            self.counted_as: new,
            "rejects_file": str(self._rejects_path()) if summary.rejected else None,
            "seconds": round(time.monotonic() - started_s, 2),
        }

    async def _load(self, destination: Destination, summary: Summary) -> int:
        """Read and write the whole file; return how many records were new."""
        file_format = format_of(self.file, self.file_format)
        with (
            open_rows(self.file, file_format) as source,
            RejectsFile(self._rejects_path(), self.file) as rejects,
        ):
            new = await self._write(destination, source, summary, rejects)
        tell_rejects(rejects, summary, as_json=self.as_json)
        if self.finish is not None and summary.accepted:
            with progress_bar(as_json=self.as_json) as bar:
                learning = bar.add_task("Learning", total=summary.accepted)
                await self.finish(destination, lambda count: bar.advance(learning, count))
        return new

    async def _write(
        self, destination: Destination, source: RowSource, summary: Summary, rejects: RejectsFile
    ) -> int:
        """Write the records of an open file; return how many were new."""
        new = 0

        async def write(batch: Sequence[Record]) -> None:
            nonlocal new
            new += await self.write(destination, batch)

        with progress_bar(as_json=self.as_json, of_bytes=True) as bar:
            reading = bar.add_task(f"Reading {self.file.name}", total=source.total)
            records = self.reading.records(source.rows, summary, rejects)
            await write_all(
                records,
                write,
                self.batch_size,
                lambda _: bar.update(reading, completed=source.position()),
            )
            bar.update(reading, completed=source.total)
        return new

    def _rejects_path(self) -> Path:
        """Return where rejected lines go: the stated file, else one in the current directory."""
        return self.rejects or Path(f"{self.file.name}.rejects.jsonl")

"""Downloads of public data sets: once, into a cache directory, checked by their sha256."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import httpx

from origin.dataset.rows import DatasetError

TIMEOUT = httpx.Timeout(20.0, connect=5.0)
BYTES_MAX = 200_000_000


class RemoteFile(NamedTuple):
    """A file on the network and what it must be."""

    url: str
    name: str
    sha256: str


def fetch(files: tuple[RemoteFile, ...], folder: Path, say: Callable[[str], object]) -> Path:
    """Return the folder that holds the files; download those that are not there yet.

    Raises:
        DatasetError: offline, or when a file is not what it should be.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        place = folder / file.name
        if not (place.is_file() and sha256_of(place) == file.sha256):
            say(f"Downloading {file.url}")
            download(file, place)
    return folder


def download(file: RemoteFile, place: Path) -> None:
    """Download one file; it appears under its name only when it is complete and right."""
    part = place.with_name(place.name + ".part")
    try:
        with httpx.stream("GET", file.url, timeout=TIMEOUT, follow_redirects=True) as answer:
            answer.raise_for_status()
            receive(answer, part)
    except httpx.HTTPError as error:
        message = f"cannot download {file.url}: {error or type(error).__name__}"
        raise DatasetError(f"{message}; give a local copy with --path") from error
    found = sha256_of(part)
    if found != file.sha256:
        part.unlink()
        raise DatasetError(f"{file.url} has the checksum {found}, expected {file.sha256}")
    part.replace(place)


def receive(answer: httpx.Response, part: Path) -> None:
    """Write an answer's body to a file."""
    received = 0
    with part.open("wb") as target:
        for piece in answer.iter_bytes():
            received += len(piece)
            if received > BYTES_MAX:
                raise DatasetError(f"{answer.url} is larger than {BYTES_MAX:,} bytes")
            target.write(piece)


def sha256_of(file: Path) -> str:
    """Return the file's checksum in hexadecimal digits."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()

"""Rows of CSV, JSON lines and Parquet files, read one after the other in bounded memory."""

import csv
import gzip
import json
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Literal, NoReturn, Protocol, cast

Format = Literal["csv", "jsonl", "parquet"]

FORMATS: Mapping[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
LINE_LENGTH_MAX = 1_000_000  # a longer line of JSON is one rejected line, not all our memory
PARQUET_ROWS_PER_READ = 2_000


class DatasetError(Exception):
    """A file that cannot be read at all; the message is a sentence for the person who asked."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a file: the line it starts on (from 1) and its values by column."""

    line: int
    values: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Reject:
    """A line that could not be used: which field, and what is wrong with it."""

    line: int
    field: str
    problem: str


class Batch(Protocol):
    """What this module uses of pyarrow's record batch, which comes without types."""

    def to_pylist(self) -> list[dict[str, object]]:
        """Return the rows."""
        ...


class ParquetRows(Protocol):
    """What this module uses of pyarrow's Parquet file."""

    def iter_batches(self, batch_size: int) -> Iterator[Batch]:
        """Yield the rows in batches."""
        ...


class RowSource:
    """An open file of rows that knows how much of itself has been read."""

    def __init__(self, rows: Iterator[Row | Reject], raw: IO[bytes], total: int) -> None:
        self.rows = rows
        self.total = total
        self._raw = raw

    def position(self) -> int:
        """Return how many of the `total` bytes have been read from the disk."""
        return min(self._raw.tell(), self.total)


def format_of(path: Path, stated: str | None = None) -> Format:
    """Return the format that was stated, else the one that the file's name ends on.

    >>> format_of(Path("events.jsonl.gz"))
    'jsonl'
    """
    if stated is not None:
        return cast("Format", stated)
    name = path.name.removesuffix(".gz")
    found = FORMATS.get(Path(name).suffix.lower())
    if found is None:
        raise DatasetError(f"{path}: cannot tell its format from its name; state it with --format")
    return found


@contextmanager
def open_rows(path: Path, file_format: Format) -> Generator[RowSource]:
    """Yield the rows of a file; a name that ends on .gz is unpacked on the way."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror or error}") from error
    with raw:
        total = path.stat().st_size
        if file_format == "parquet":
            yield RowSource(read_parquet(path, raw), raw, total)
            return
        unpacked = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw
        # Bytes that are no UTF-8 become lone surrogates, which the contract rejects line by line.
        text = TextIOWrapper(unpacked, "utf-8-sig", errors="surrogateescape", newline="")
        delimiter = "\t" if ".tsv" in path.suffixes else ","
        rows = read_csv(text, delimiter) if file_format == "csv" else read_json_lines(text)
        yield RowSource(truncation_named(path, rows), raw, total)


def truncation_named(path: Path, rows: Iterator[Row | Reject]) -> Iterator[Row | Reject]:
    """Yield the rows; turn a damaged archive into a sentence."""
    try:
        yield from rows
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        raise DatasetError(f"{path}: {error}") from error


def read_csv(text: IO[str], delimiter: str = ",") -> Iterator[Row | Reject]:
    """Yield the records of a CSV file whose first line names the columns; "" becomes None."""
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    columns = header(reader)
    while True:
        line = reader.line_num + 1
        try:
            record = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Reject(line, "", f"is not valid CSV: {error}")
            continue
        if not record:
            continue
        if len(record) != len(columns):
            problem = f"has {len(record)} columns where the header names {len(columns)}"
            yield Reject(line, "", problem)
            continue
        yield Row(line, {name: cell or None for name, cell in zip(columns, record, strict=True)})


def header(reader: Iterator[list[str]]) -> list[str]:
    """Return the names of the columns."""
    try:
        columns = [name.strip() for name in next(reader, list[str]())]
    except csv.Error as error:
        raise DatasetError(f"the first line is not valid CSV: {error}") from error
    if not any(columns):
        raise DatasetError("the first line must name the columns; the file is empty")
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise DatasetError(f"the first line names the column {twice!r} twice")
    return columns


def read_json_lines(text: IO[str]) -> Iterator[Row | Reject]:
    """Yield the objects of a file that holds one JSON object per line."""
    line = 0
    while content := text.readline(LINE_LENGTH_MAX + 1):
        line += 1
        if len(content) > LINE_LENGTH_MAX:
            while not content.endswith("\n") and (content := text.readline(LINE_LENGTH_MAX)):
                pass
            yield Reject(line, "", f"is longer than {LINE_LENGTH_MAX:,} characters")
        elif not content.isspace():
            yield json_row(line, content)


def json_row(line: int, content: str) -> Row | Reject:
    """Return the object on a line."""
    try:
        value: object = json.loads(content, parse_constant=refuse_constant)
    except RecursionError:
        return Reject(line, "", "is nested too deeply")
    except ValueError as error:
        return Reject(line, "", f"is not valid JSON: {error}")
    if not isinstance(value, dict):
        return Reject(line, "", f"must be an object, not {type(value).__name__}")
    return Row(line, cast("dict[str, object]", value))


def refuse_constant(name: str) -> NoReturn:
    """Refuse NaN and the infinities, which are no JSON."""
    raise ValueError(f"{name} is no number")


def read_parquet(path: Path, raw: IO[bytes]) -> Iterator[Row | Reject]:
    """Yield the rows of a Parquet file; the line is the number of the row."""
    file = open_parquet(path, raw)
    line = 0
    for batch in file.iter_batches(PARQUET_ROWS_PER_READ):
        for values in batch.to_pylist():
            line += 1
            yield Row(line, values)


def open_parquet(path: Path, raw: IO[bytes]) -> ParquetRows:
    """Return the opened file, or say what is missing or broken."""
    try:
        from pyarrow.parquet import ParquetFile
    except ModuleNotFoundError as error:
        message = "Parquet files need the extra `parquet`: pip install 'attune[parquet]'"
        raise DatasetError(message) from error
    try:
        return cast("ParquetRows", ParquetFile(raw))
    except (ValueError, OSError) as error:  # pyarrow's own errors are one or the other
        raise DatasetError(f"{path}: is not a Parquet file: {error}") from error

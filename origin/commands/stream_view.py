"""How the stream's state is shown: one JSON line, or tables."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import click

from origin.commands.report import FigureTree, print_table
from origin.storage.postgres_stream import DeadLetterCount, KeptLetter, Waiting
from origin.stream_status import GroupStatus

LAGGING_SHOWN_MAX = 5
"""Partitions that the table names, the worst first; the JSON has all."""


@dataclass(frozen=True, slots=True)
class StreamStatus:
    """Everything that one look found."""

    at_ms: int
    log: str
    log_answers: bool
    groups: Sequence[GroupStatus]
    dead_letters: Sequence[DeadLetterCount]
    waiting: Waiting


def show_status(status: StreamStatus, *, as_json: bool) -> None:
    """Print the status."""
    letters = [count._asdict() for count in status.dead_letters]
    if as_json:
        figures = asdict(status) | {"dead_letters": letters, "waiting": status.waiting._asdict()}
        click.echo(json.dumps(figures))
        return
    answers = "answers" if status.log_answers else "DOES NOT ANSWER"
    clock = time.strftime("%H:%M:%S", time.localtime(status.at_ms / 1000))
    print_table(
        [_group_row(group) for group in status.groups],
        title=f"Stream at {clock}: the log in {status.log} {answers}",
    )
    if letters:
        print_table([_letter_count_row(count) for count in status.dead_letters], title="Put aside")
    if any(status.waiting):
        click.echo(
            f"{status.waiting.spilled:,} events wait for Kafka, "
            f"{status.waiting.outbox:,} entries of the outbox for their topic."
        )


def letter_rows(letters: Sequence[KeptLetter]) -> list[dict[str, FigureTree]]:
    """Return dead letters as rows of a table."""
    return [
        {
            "id": letter.letter_id,
            "topic": letter.topic,
            "partition": letter.partition,
            "offset": letter.offset,
            "key": letter.key,
            "bytes": len(letter.value),
            "problem": letter.problem,
            "failed_at": _time(letter.failed_at_ms),
        }
        for letter in letters
    ]


def _group_row(group: GroupStatus) -> dict[str, FigureTree]:
    lagging = sorted((group.lag_by_partition or {}).items(), key=lambda entry: -entry[1])
    return {
        "group": group.group,
        "topic": group.topic,
        "lag": group.lag,
        "oldest unread": None if group.freshness_ms is None else f"{group.freshness_ms / 1000:g} s",
        "read/s": group.read_per_s,
        "appended/s": group.appended_per_s,
        "lagging partitions": ", ".join(
            f"{partition}: {lag:,}" for partition, lag in lagging[:LAGGING_SHOWN_MAX] if lag
        ),
    }


def _letter_count_row(count: DeadLetterCount) -> dict[str, FigureTree]:
    latest = _time(count.latest_at_ms)
    return {
        "topic": count.topic,
        "problem": count.problem,
        "letters": count.letters,
        "latest": latest,
    }


def _time(at_ms: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime(at_ms / 1000))

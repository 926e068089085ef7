"""How the stream stands: what each group has still to read, how fast it goes, how old it is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from origin.event_log.port import EventLog, LogUnavailableError
from origin.storage.postgres_stream import GroupOffset


@dataclass(frozen=True, slots=True)
class Look:
    """Offsets as they were at one instant; ``ends`` holds None for topics that did not answer."""

    at_ms: int
    offsets: Sequence[GroupOffset]
    ends: Mapping[str, Mapping[int, int] | None]


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """One group on one topic. None stands for what cannot be known while the log is away."""

    group: str
    topic: str
    lag: int | None
    """Records that it has still to read."""
    lag_by_partition: Mapping[int, int] | None
    freshness_ms: int | None
    """Age of the oldest of those records; 0 without any."""
    read_per_s: float
    appended_per_s: float | None


async def look(log: EventLog | None, offsets: Sequence[GroupOffset], now_ms: int) -> Look:
    """Return the offsets beside the ends of their topics."""
    ends: dict[str, Mapping[int, int] | None] = {}
    for topic in sorted({offset.topic for offset in offsets}):
        try:
            ends[topic] = None if log is None else await log.end_offsets(topic)
        except LogUnavailableError:
            ends[topic] = None
    return Look(now_ms, offsets, ends)


async def group_statuses(log: EventLog | None, before: Look, now: Look) -> list[GroupStatus]:
    """Return how each group stands, and how fast it went between two looks."""
    statuses: list[GroupStatus] = []
    for group, topic in dict.fromkeys((one.group, one.topic) for one in now.offsets):
        ends = now.ends[topic]
        stands = _stands(now, group, topic)
        lag = None if ends is None else lags(stands, ends)
        statuses.append(
            GroupStatus(
                group=group,
                topic=topic,
                lag=None if lag is None else sum(lag.values()),
                lag_by_partition=lag,
                freshness_ms=None if lag is None else await _age_ms(log, topic, stands, lag, now),
                read_per_s=_per_s(_stands(before, group, topic), stands, before, now) or 0.0,
                appended_per_s=_per_s(before.ends.get(topic), ends, before, now),
            )
        )
    return statuses


def lags(stands: Mapping[int, int], ends: Mapping[int, int]) -> dict[int, int]:
    """Return of each partition how many records are still to be read.

    >>> lags({0: 7}, {0: 10, 1: 5})
    {0: 3, 1: 5}
    """
    return {partition: max(end - stands.get(partition, 0), 0) for partition, end in ends.items()}


def _stands(at: Look, group: str, topic: str) -> dict[int, int]:
    return {
        offset.partition: offset.next_offset
        for offset in at.offsets
        if (offset.group, offset.topic) == (group, topic)
    }


async def _age_ms(
    log: EventLog | None, topic: str, stands: Mapping[int, int], lag: Mapping[int, int], now: Look
) -> int | None:
    """Return how long the oldest unread record has been waiting."""
    unread = {partition: stands.get(partition, 0) for partition, count in lag.items() if count}
    if not unread:
        return 0
    try:
        times = {} if log is None else await log.times_at(topic, unread)
    except LogUnavailableError:
        return None
    return max((now.at_ms - time_ms for time_ms in times.values()), default=0)


def _per_s(
    earlier: Mapping[int, int] | None, later: Mapping[int, int] | None, before: Look, now: Look
) -> float | None:
    if earlier is None or later is None or now.at_ms <= before.at_ms:
        return None
    read = sum(later[partition] - earlier.get(partition, 0) for partition in later)
    return round(max(read, 0) * 1000 / (now.at_ms - before.at_ms), 1)

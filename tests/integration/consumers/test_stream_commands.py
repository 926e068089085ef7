"""``attune stream`` on a real log with real consumers: look, retry, replay, rebuild."""

import asyncio
import json
import time
from collections.abc import Coroutine, Iterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from click.testing import CliRunner

from attune.contract.event import Event
from origin.commands.stream import command
from origin.event_log import EVENTS, open_event_log
from origin.event_log.broker import process
from origin.event_log.port import Entry
from origin.storage.database import connection_pool
from origin.storage.postgres import PostgresStore
from tests.integration.consumers.fleet import Fleet
from tests.integration.consumers.traffic import (
    assert_same,
    entries,
    events,
    fill,
    learned,
    reference,
)

READ = (
    "SELECT sum(next_offset)::int FROM consumer_offsets"
    " WHERE consumer_group = 'learning' AND topic = 'events'"
)
POISON = [(b"ann", b"\xc1%d" % number) for number in range(3)]


class Installation:
    """A database, a log, maybe a consumer, and the command line."""

    def __init__(self, url: str, kafka: str) -> None:
        self.url = url
        self._kafka = kafka
        self._environment = {"DATABASE_URL": url, "KAFKA_BOOTSTRAP_SERVERS": kafka}
        self.fleet = Fleet(self._environment)

    def run(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the lines of JSON that the command prints."""
        found = CliRunner(env=self._environment).invoke(command, [*arguments, "--json"])
        assert found.exit_code == 0, found.output
        return [json.loads(line) for line in found.stdout.splitlines()]

    def refused(self, *arguments: str) -> str:
        """Return what the command says when it fails."""
        found = CliRunner(env=self._environment).invoke(command, [*arguments])
        assert found.exit_code != 0
        return found.output

    def status(self) -> dict[str, Any]:
        (status,) = self.run("status", "--interval", "0.1")
        return status

    def append(self, records: Sequence[Entry]) -> None:
        async def work() -> None:
            async with await open_event_log(self.url, self._kafka or None) as log:
                await log.append(EVENTS, records)

        asyncio.run(work())

    def learn(self, records: int) -> dict[str, Any]:
        """Wait until the consumers have read so many records; return the status then."""
        deadline_s = time.monotonic() + 40
        while time.monotonic() < deadline_s:
            status = self.status()
            groups = [group for group in status["groups"] if group["topic"] == EVENTS]
            read = len(groups) == 2 and all(group["lag"] == 0 for group in groups)
            if read and self.ask(READ) == records:
                return status
            time.sleep(0.1)
        raise TimeoutError(f"{records} records are not read: {self.status()}")

    def ask(self, statement: str) -> Any:
        async def work() -> Any:
            connection = await asyncpg.connect(self.url)
            try:
                return await connection.fetchval(statement)
            finally:
                await connection.close()

        return asyncio.run(work())


@pytest.fixture(params=["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def installation(
    request: pytest.FixtureRequest, new_postgres_url: str, tmp_path: Path
) -> Iterator[Installation]:
    broker = process.Broker(tmp_path / "kafka", process.free_port())
    if request.param == "kafka":
        process.start(broker)
    kafka = broker.bootstrap_servers if request.param == "kafka" else ""
    installation = Installation(new_postgres_url, kafka)
    _run(_fill(new_postgres_url))
    yield installation
    installation.fleet.kill_all()
    process.stop(broker)


async def _fill(url: str) -> None:
    async with connection_pool(url, 1) as pool:
        await fill(PostgresStore(pool))


def _run(work: Coroutine[None, None, Any]) -> Any:
    return asyncio.run(work)


def _assert_learned(installation: Installation, traffic: Sequence[Event]) -> None:
    assert_same(_run(learned(installation.url)), _run(reference(traffic)))


def test_people_can_look_after_the_stream(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    traffic = events(600, users=10)
    first, missed = traffic[:400], traffic[400:]
    installation.append([*entries(first), *POISON])
    installation.fleet.start(1)

    status = installation.learn(403)
    group = learning(status)
    assert (group["topic"], group["lag"], group["freshness_ms"]) == (EVENTS, 0, 0)
    assert set(group["lag_by_partition"].values()) == {0}
    assert [(count["topic"], count["letters"]) for count in status["dead_letters"]] == [(EVENTS, 3)]

    # Three that nobody can read: tried again, they come back, from their new places.
    letters = installation.run("dead-letters", "list")
    assert [letter["key"] for letter in letters] == ["ann"] * 3
    assert installation.run("dead-letters", "retry", "--all") == [{"retried": 3}]
    installation.learn(406)
    again = installation.run("dead-letters", "list")
    assert [one["offset"] for one in again] == [one["offset"] + 3 for one in letters]
    _assert_learned(installation, first)

    # Further back than events are remembered, they would count twice.
    with monkeypatch.context() as patch:
        patch.setattr("kafka_consumers.seen.REMEMBERED_MIN", 30)
        assert "would count twice" in installation.refused("replay", "--from", "start", "--yes")

    # Reading everything again changes nothing.
    assert installation.run("replay", "--from", "start", "--yes")[0]["records"] == 406
    installation.learn(406)
    _assert_learned(installation, first)

    # A stretch that was skipped is learned, and the rest not twice.
    assert installation.fleet.stop() == {0}
    installation.append(entries(missed))
    lagging = installation.status()
    assert learning(lagging)["lag"] == 200
    assert learning(lagging)["freshness_ms"] > 0
    _skip_to_the_end(installation, learning(lagging)["lag_by_partition"])
    installation.fleet.start(1)
    installation.learn(606)
    _assert_learned(installation, first)
    for group in ("learning", "users"):
        asked = ("replay", "--from", "20", "--group", group, "--yes")
        assert installation.run(*asked)[0]["records"] > 200
    installation.learn(606)
    _assert_learned(installation, traffic)

    # Forgotten and learned anew, it is the same.
    assert installation.run("rebuild", "--yes") == [{"records": 606, "expired": 0}]
    installation.learn(606)
    _assert_learned(installation, traffic)


def learning(status: dict[str, Any]) -> dict[str, Any]:
    (group,) = [one for one in status["groups"] if one["group"] == "learning"]
    return group


def _skip_to_the_end(installation: Installation, lag_by_partition: dict[str, int]) -> None:
    for partition, lag in lag_by_partition.items():
        installation.ask(
            f"UPDATE consumer_offsets SET next_offset = next_offset + {lag}"
            f" WHERE topic = '{EVENTS}' AND partition = {partition}"
        )


def test_a_wrong_question_is_answered_with_what_would_be_right(new_postgres_url: str) -> None:
    installation = Installation(new_postgres_url, "")
    assert "no ISO 8601 time" in installation.refused("replay", "--from", "yesterday")
    assert "no group 'nobody'" in installation.refused("replay", "--from", "0", "--group", "nobody")
    assert "or --all of them" in installation.refused("dead-letters", "retry")


def test_the_status_says_that_kafka_is_away_and_what_is_known_without_it(
    new_postgres_url: str,
) -> None:
    away = Installation(new_postgres_url, f"127.0.0.1:{process.free_port()}")
    away.ask("INSERT INTO consumer_offsets VALUES ('learning', 'events', 0, 41)")
    status = away.status()
    assert status["log_answers"] is False
    (group,) = status["groups"]
    assert (group["group"], group["lag"], group["freshness_ms"]) == ("learning", None, None)

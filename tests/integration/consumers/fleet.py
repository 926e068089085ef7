"""Real ``attune consume`` processes that share the work and can be killed at any instant."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Mapping
from multiprocessing.context import ForkServerProcess

STOP_TIMEOUT_S = 5.0

# One process imports everything once; consumers are forked off it. So a start costs 50 ms and not
# the second of processor time that would leave no load for the others to be killed under.
FORKING = multiprocessing.get_context("forkserver")
FORKING.set_forkserver_preload(
    [
        "kafka_consumers.runner",
        "origin.commands.consume",
        "origin.event_log.embedded",
        "origin.event_log.kafka",
        "origin.storage.postgres",
    ]
)


def consume(environment: Mapping[str, str]) -> None:
    """Be ``attune consume``."""
    from origin.commands.consume import command

    os.environ.update(environment)
    # Whoever waits says so, again and again: these outages are ours.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    command.main(args=[])


class Fleet:
    """Some consumers."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._consumers: list[ForkServerProcess] = []
        self.kills = 0

    def start(self, count: int) -> None:
        """Start some more."""
        for _ in range(count):
            consumer = FORKING.Process(target=consume, args=(self._environment,))
            consumer.start()
            self._consumers.append(consumer)

    def kill_one(self, rng: random.Random) -> None:
        """Kill one as a power cut would, and start another in its place."""
        victim = self._consumers.pop(rng.randrange(len(self._consumers)))
        victim.kill()
        victim.join()
        assert victim.exitcode == -signal.SIGKILL, "a consumer ended by itself"
        self.kills += 1
        self.start(1)

    def stop(self) -> set[int | None]:
        """Stop all as an operator would; return their exit codes and fail past the deadline."""
        for consumer in self._consumers:
            consumer.terminate()
        deadline_s = time.monotonic() + STOP_TIMEOUT_S
        for consumer in self._consumers:
            consumer.join(max(0.0, deadline_s - time.monotonic()))
        codes = {consumer.exitcode for consumer in self._consumers}
        self.kill_all()
        return codes

    def kill_all(self) -> None:
        """Leave no process behind, whatever happened."""
        for consumer in self._consumers:
            consumer.kill()
            consumer.join()
        self._consumers.clear()

"""A short soak: real load on the real edge, no error, no empty slate, memory within bounds."""

import json

import pytest
from click.testing import CliRunner

from origin.bench.edge_load import Traffic
from origin.bench.soak import Readings, Soak
from origin.commands.bench_soak import command

RESIDENT_BYTES_MAX = 450_000_000
"""workerd with both workers, the caches and all compiled code: some 300 MB."""


def test_a_short_soak_has_no_error_and_stays_in_bounds() -> None:
    run = CliRunner().invoke(command, ["--minutes", "0.05", "--load", "0.5", "--json"])
    assert run.exit_code == 0, run.output
    figures = json.loads(run.stdout)
    assert figures["requests"] > 0
    assert figures["errors"] == 0
    assert figures["empty_slates"] == 0
    assert set(figures["rungs"]) <= {"full", "stale", "popular"}
    assert figures["resident_max_bytes"] < RESIDENT_BYTES_MAX


def test_the_slope_is_that_of_the_second_half() -> None:
    readings = Readings(resident=[(second, 50 + min(second, 10) ** 2) for second in range(10)])
    readings.resident += [(second, 1_000 + 3 * second) for second in range(10, 30)]
    # 3 bytes a second at 60 requests a second are 50 bytes per 1,000 requests.
    assert Soak(100.0, 60.0, 30.0, readings, 0.0).slope_bytes() == pytest.approx(50.0)


def test_traffic_is_the_same_every_time_and_prefers_some_visitors() -> None:
    traffic, again = Traffic(visitors=100), Traffic(visitors=100)
    drawn = [traffic.next() for _ in range(200)]
    assert [path for path, _ in drawn] == [again.next()[0] for _ in range(200)]
    users = [json.loads(body)["user_id"] for path, body in drawn if path != "/v1/events"]
    assert users.count("visitor-0") > 2 * users.count("visitor-90")
    assert sum(path == "/v1/events" for path, _ in drawn) == 20

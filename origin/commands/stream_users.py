"""`attune stream erase|drift`: forgetting one user, and looking at all of them."""

import asyncio
import time
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from origin.commands.report import FigureTree, json_option, show

if TYPE_CHECKING:
    from attune.contract.erasure import ErasureReceipt
    from origin.commands.filling import Destination

LOOK_INTERVAL_S = 0.2


@click.command("erase")
@click.argument("user_id")
@click.option(
    "--wait",
    "wait_s",
    default=30.0,
    type=click.FloatRange(0.0, 3600.0),
    help="Seconds to wait for the receipt; a running `attune consume` writes it.",
)
@json_option
def erase(user_id: str, wait_s: float, as_json: bool) -> None:
    """Forget a user everywhere, and show what was removed."""
    from attune.contract.decode import ContractError, checked_text
    from attune.contract.erasure import ErasureRequest
    from origin.commands.filling import fill

    try:
        checked_text("USER_ID", user_id, 128)
    except ContractError as error:
        raise click.BadParameter(str(error)) from error
    request = ErasureRequest(uuid.uuid4().hex, user_id, time.time_ns() // 1_000_000)

    async def ask(destination: "Destination") -> "ErasureReceipt | None":
        from attune.contract.erasure import pack_erasure
        from origin.event_log import ERASURES
        from origin.packing import packed

        entry = user_id.encode(), packed(pack_erasure(request))
        await destination.log.append(ERASURES, [entry])
        deadline_s = time.monotonic() + wait_s
        while True:
            receipt = await destination.store.receipt(request.erasure_id)
            if receipt is not None or time.monotonic() >= deadline_s:
                return receipt
            await asyncio.sleep(LOOK_INTERVAL_S)

    receipt = fill(ask)
    figures: dict[str, FigureTree] = {
        "erasure_id": request.erasure_id,
        "requested_at_ms": request.requested_at_ms,
        "erased_at_ms": None if receipt is None else receipt.erased_at_ms,
        "log_expires_at_ms": None if receipt is None else receipt.log_expires_at_ms,
        "removed": None if receipt is None else dict(receipt.removed),
    }
    show(figures, as_json=as_json, title="Erasure")


@click.command("drift")
@json_option
def drift(as_json: bool) -> None:
    """Show what the last look for drift found."""
    from origin.commands.filling import fill
    from origin.drift_state import NAME, DriftReport, unpacked_state

    async def look(destination: "Destination") -> DriftReport:
        async with destination.store.transaction() as transaction:
            return unpacked_state(await transaction.fitting(NAME)).report

    report = fill(look)
    looked = datetime.fromtimestamp(report.checked_at_ms / 1000, UTC).isoformat()
    indices = {name: round(value, 4) for name, value in report.feature_indices.items()}
    figures: dict[str, FigureTree] = {
        "checked_at": looked if report.checked_at_ms else None,
        "alerts": list(report.alerts),
        "population_distance": report.population_distance,
        "population_users": report.population_users,
        "reward_mean": report.reward_mean,
        "reward_statistic": report.reward_statistic,
        "feature_indices": indices,
    }
    show(figures, as_json=as_json, title="Drift")

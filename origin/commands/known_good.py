"""``attune known-good``: the bundles that a deployment carries for when its origin is away."""

from pathlib import Path

import click

from origin.commands.report import json_option, show

CANDIDATES = 60
TIMEOUT_S = 10.0
TARGET = Path(__file__).parents[2] / "wasm" / "known_good.msgpack"


@click.command("known-good")
@click.option("--origin-url", envvar="ATTUNE_ORIGIN_URL", default="http://127.0.0.1:8601")
@click.option("--surface", "surfaces", multiple=True, default=("home",), help="May be repeated.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default=TARGET)
@json_option
def command(origin_url: str, surfaces: tuple[str, ...], output: Path, as_json: bool) -> None:
    """Fetch the origin's popular bundle of each surface for the next scripts/build_edge.

    The built worker answers from them when it starts while the origin is down.
    """
    import httpx

    from attune.contract.bundle import read_bundle
    from edge_worker.answer import last_known_good
    from edge_worker.policy_cache import PolicyCache
    from origin.packing import packed, unpacked

    bundles: list[bytes] = []
    answers: dict[str, bytes] = {}
    for surface in surfaces:
        try:
            answer = httpx.post(
                origin_url + "/v1/bundle",
                content=packed(_question(surface)),
                headers={"content-type": "application/msgpack"},
                timeout=TIMEOUT_S,
            )
            answer.raise_for_status()
        except httpx.HTTPError as error:
            raise click.ClickException(f"{origin_url} has no bundle: {error}") from error
        bundle = read_bundle(unpacked(answer.content))
        if not bundle.candidates.item_ids:
            raise click.ClickException(f"{origin_url} has nothing to show on {surface!r} yet")
        bundles.append(answer.content)
        answers[surface] = last_known_good(bundle, PolicyCache().policy, bundle.created_at_ms)
    output.write_bytes(packed({"bundles": bundles, "answers": answers}))
    figures = {"output": str(output), "surfaces": len(surfaces), "bytes": output.stat().st_size}
    show(figures, as_json=as_json, title="Bundles for the next build of the edge")


def _question(surface: str) -> dict[str, object]:
    from attune.consent import Consent
    from attune.context import Context
    from attune.contract.bundle import BundleRequest, pack_bundle_request

    return pack_bundle_request(BundleRequest(Consent.NONE, None, surface, Context(), CANDIDATES))

"""`attune train`: embeddings of this installation, and the models that ship."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from origin.commands.report import FigureTree, json_option, show

if TYPE_CHECKING:
    from origin.model_manifest import Manifest


@click.group("train")
def command() -> None:
    """Train item embeddings, the deep ranker and its edge student."""


@command.command("embeddings")
@json_option
def embeddings(as_json: bool) -> None:
    """Place this installation's items by who met them, and move its users along.

    What the daily batch does. Needs no training stack.
    """
    from origin.commands.filling import fill, refresh_embeddings

    show(asdict(fill(refresh_embeddings)), as_json=as_json, title="Embeddings")


@command.command("models")
@click.option(
    "--ratings",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A ratings file to train on; a movies.dat beside it gives the items their words.",
)
@click.option(
    "--until", default=20_000, type=click.IntRange(min=100), help="Use so many first ratings."
)
@click.option(
    "--visits", default=2_000, type=click.IntRange(min=0), help="Simulated visits to train on."
)
@click.option(
    "--models",
    envvar="ATTUNE_MODELS",
    default="models/onnx",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder that graphs and manifests are written to.",
)
@click.option("--seed", default=0, help="The same seed gives the same models.")
@json_option
def models(
    ratings: Path | None, until: int, visits: int, models: Path, seed: int, as_json: bool
) -> None:
    """Train the deep ranker and, from it, the edge scorer; write graphs and manifests.

    History is replayed through the product's own serving and learning; the last tenth of each past
    is held out for the metrics in the manifests. Needs the training stack: attune[train].
    """
    from origin.commands.evaluate import progress_of
    from origin.commands.replay_learning import learn
    from origin.evaluation.ratings import RatingsError
    from origin.training.models import train_models
    from origin.training.pasts import ratings_past, storefront_past

    try:
        pasts = [] if ratings is None else [ratings_past(ratings, until)]
    except RatingsError as error:
        raise click.ClickException(str(error)) from error
    if visits:
        pasts.append(storefront_past(visits))
    if not pasts:
        raise click.ClickException("there is nothing to train on: give --ratings or --visits")
    with progress_of(as_json=as_json) as progress:
        manifests = train_models(pasts, learn, models, seed, progress)
    for manifest in manifests:
        show(told(manifest), as_json=as_json, title=manifest.name)


def told(manifest: "Manifest") -> dict[str, FigureTree]:
    """Return the manifest's figures for the report."""
    figures = asdict(manifest)
    return {name: figures[name] for name in ("name", "version", "trained_on", "sha256", "metrics")}

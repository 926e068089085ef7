"""`attune evaluate ope`: what a policy would have earned, told from another policy's log."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from origin.commands.report import FigureTree, json_option, print_table, say, show

if TYPE_CHECKING:
    from origin.evaluation.intervals import Interval
    from origin.evaluation.ope import Evaluation, Options, Progress
    from origin.evaluation.ope_log import Log, Policy

ASSUMES = {
    False: "a reward depends on the item, its position and the context, not on the other items",
    True: "a reward depends on the item, its position, the context and the items above",
}


@click.command("ope")
@click.option(
    "--dataset",
    required=True,
    type=click.Path(exists=True, path_type=Path),
    help="A directory in the Open Bandit layout, or a file of our own log (CSV, JSONL, Parquet).",
)
@click.option("--campaign", help="Open Bandit layout: all, men or women, as the folders are named.")
@click.option("--log", "log_name", default="bts", help="Open Bandit: whose log is read.")
@click.option(
    "--policy",
    "policy_name",
    help="What is judged. Open Bandit: a policy's name.  [default: random]  Our own log: target"
    " (column target_propensity), greedy (never explore) or uniform.  [default: target]",
)
@click.option("--clip", type=click.FloatRange(min=0.0, min_open=True), help="Largest weight.")
@click.option("--cascade", is_flag=True, help="Let a reward depend on the items above it, too.")
@click.option(
    "--confidence",
    default=0.95,
    type=click.FloatRange(0.5, 0.9999),
    help="Of every interval.",
)
@click.option(
    "--resamples", default=1_000, type=click.IntRange(100, 100_000), help="Of the bootstrap."
)
@click.option("--seed", default=0, help="Of folds and bootstrap.")
@json_option
def command(
    dataset: Path,
    campaign: str | None,
    log_name: str,
    policy_name: str | None,
    clip: float | None,
    cascade: bool,
    confidence: float,
    resamples: int,
    seed: int,
    as_json: bool,
) -> None:
    """Judge a policy by the log of another one - or say why this log cannot.

    Estimates are means per row, a row being one position of a slate. Columns of our own log:
    docs/evaluation.md.
    """
    from origin.commands.evaluate import progress_of
    from origin.evaluation.ope import Options, evaluated
    from origin.evaluation.ope_log import LogError

    options = Options(clip, cascade, confidence, resamples, seed)
    try:
        with progress_of(as_json=as_json) as progress:
            log, policy, own = opened(dataset, campaign, log_name, policy_name, progress)
            evaluation = evaluated(log, policy, options, progress)
    except LogError as error:
        raise click.ClickException(str(error)) from error
    names: dict[str, FigureTree] = {"policy": policy_name or default_policy(dataset)}
    if campaign is not None:
        names = {"campaign": campaign, "log": log_name, **names}
    figures: dict[str, FigureTree] = {"dataset": str(dataset), **names}
    figures.update(figures_of(evaluation, log, options, own))
    if as_json:
        show(figures, as_json=True, title="")
    else:
        tell(evaluation, figures)


def default_policy(dataset: Path) -> str:
    """Return what is judged when nobody says."""
    return "random" if dataset.is_dir() else "target"


def opened(
    dataset: Path,
    campaign: str | None,
    log_name: str,
    policy_name: str | None,
    progress: "Progress",
) -> "tuple[Log, Policy, Log | None]":
    """Return the log, the policy on its rows, and the policy's own log if there is one."""
    from origin.evaluation.ope_rows import OWN_POLICIES, read_log
    from origin.evaluation.open_bandit import campaign_log, policy_named

    name = policy_name or default_policy(dataset)
    if not dataset.is_dir():
        if campaign is not None:
            raise click.BadOptionUsage("campaign", "--campaign belongs to a directory")
        if name not in OWN_POLICIES:
            problem = f"{name!r} is none of {', '.join(OWN_POLICIES)}"
            raise click.BadParameter(problem, param_hint="--policy")
        log, policy = read_log(dataset, name, progress)
        return log, policy, None
    if campaign is None:
        raise click.BadOptionUsage("campaign", "--campaign is needed: which folder of --dataset")
    log = campaign_log(dataset, log_name, campaign)
    policy, own_log = policy_named(dataset, name, campaign, log)
    return log, policy, own_log


def figures_of(
    evaluation: "Evaluation", log: "Log", options: "Options", own: "Log | None"
) -> dict[str, FigureTree]:
    """Return everything under the names that docs/evaluation.md describes."""
    weights = asdict(evaluation.overlap)
    reasons = weights.pop("reasons")
    return {
        "rows": len(log),
        "slates": int(log.slates.max()) + 1,
        "items": log.item_count,
        "rewards": float(log.rewards.sum()),
        "logged_value": evaluation.logged_value,
        "logged_interval": bounds(evaluation.logged_interval),
        "assumes": ASSUMES[options.cascade],
        "confidence": options.confidence,
        "clip": options.clip,
        "weights": weights,
        "abstained": bool(reasons),
        "reasons": list(reasons),
        "estimates": {
            name: {
                "value": found.value,
                "standard_error": found.standard_error,
                "normal": bounds(found.normal),
                "bootstrap": bounds(found.bootstrap),
                "bernstein": bounds(found.bernstein),
                "parameter": None
                if found.parameter is None or found.parameter == float("inf")
                else found.parameter,
            }
            for name, found in evaluation.estimates.items()
        },
        "truth": None if own is None else truth_of(evaluation, own, options.confidence),
        "headline": evaluation.headline,
        "difference": bounds(evaluation.difference),
        "verdict": evaluation.verdict,
    }


def truth_of(evaluation: "Evaluation", own: "Log", confidence: float) -> dict[str, FigureTree]:
    """Return what the policy earned in its own log, and which bootstrap intervals hold that."""
    from origin.evaluation.intervals import wilson_interval

    value = float(own.rewards.mean())
    return {
        "rows": len(own),
        "rewards": float(own.rewards.sum()),
        "value": value,
        "interval": bounds(wilson_interval(float(own.rewards.sum()), len(own), confidence)),
        "covered_by": [
            name
            for name, found in evaluation.estimates.items()
            if found.bootstrap is not None and found.bootstrap.contains(value)
        ],
    }


def bounds(interval: "Interval | None") -> dict[str, float] | None:
    """Return the bounds under their names, None where there are none."""
    return None if interval is None else {"low": interval.low, "high": interval.high}


def tell(evaluation: "Evaluation", figures: Mapping[str, FigureTree]) -> None:
    """Print the answer for people."""
    overlap = asdict(evaluation.overlap)
    overlap.pop("reasons")
    print_table(
        [{"weights": name.replace("_", " "), "value": value} for name, value in overlap.items()],
        title=f"Overlap over {figures['rows']:,} rows",
    )
    for reason in evaluation.overlap.reasons:
        say(f"No estimate: {reason}.")
    if not evaluation.estimates:
        return
    print_table(
        [
            {
                "estimator": name,
                "value": f"{found.value:.5f}",
                "normal": shown(found.normal),
                "bootstrap": shown(found.bootstrap),
                "Bernstein": shown(found.bernstein),
            }
            for name, found in evaluation.estimates.items()
        ],
        title=f"Value per row; the log itself earned {evaluation.logged_value:.5f}",
    )
    truth = figures["truth"]
    if isinstance(truth, Mapping):
        say(f"The policy's own log: {truth['value']:.5f} over {truth['rows']:,} rows.")
    say(f"Assumed: {figures['assumes']}.")
    better_or_worse = evaluation.verdict in ("better", "worse")
    say(f"Verdict: {evaluation.verdict}" + (" than the log." if better_or_worse else "."))


def shown(interval: "Interval | None") -> str:
    """Return an interval as people read it."""
    return "-" if interval is None else f"{interval.low:.5f} to {interval.high:.5f}"

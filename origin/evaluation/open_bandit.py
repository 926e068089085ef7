"""The Open Bandit layout: DIR/POLICY/CAMPAIGN/CAMPAIGN.csv, a log per policy and campaign.

Saito et al., "Open Bandit Dataset and Pipeline", 2021. A row is one position of a slate of three,
with the probability of its item there; rows are taken as independent of each other. The columns
item_id, position, click, propensity_score and user_feature_0 ... are read, the rest is not.
"""

import csv
from pathlib import Path

import numpy as np

from origin.evaluation.intervals import Codes, Vector
from origin.evaluation.ope_log import Log, LogError, TablePolicy, frequencies, uniform_policy

RANDOM = "random"
NEEDED = ("item_id", "position", "click", "propensity_score")
ROWS_MAX = 20_000_000  # 2 GB of columns; the largest published log has 12 million rows


def campaign_log(directory: Path, policy: str, campaign: str) -> Log:
    """Return a policy's log of a campaign.

    Raises:
        LogError: when it is not there, or a row is not what it must be.
    """
    folder = directory / policy / campaign
    path = folder / f"{campaign}.csv"
    items = item_ids(folder / "item_context.csv")
    columns: dict[str, list[str]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            columns = read_columns(csv.DictReader(file), path)
    except FileNotFoundError as error:
        raise LogError(f"{path}: is not there ({present(directory)})") from error
    names = items or sorted(set(columns["item_id"]))
    code_of = {name: code for code, name in enumerate(names)}
    unknown = next((name for name in columns["item_id"] if name not in code_of), None)
    if unknown is not None:
        raise LogError(f"{path}: item_id {unknown!r} is not in item_context.csv")
    context = [name for name in columns if name.startswith("user_feature_")]
    count = len(columns["item_id"])
    return Log(
        items=np.array([code_of[name] for name in columns["item_id"]], dtype=np.int64),
        positions=codes(columns["position"]),
        rewards=numbers(columns["click"], "click", path),
        propensities=numbers(columns["propensity_score"], "propensity_score", path),
        contexts=np.stack([codes(columns[name]) for name in context], axis=1)
        if context
        else np.zeros((count, 0), dtype=np.int64),
        slates=np.arange(count),
        item_count=len(names),
    )


def read_columns(reader: "csv.DictReader[str]", path: Path) -> dict[str, list[str]]:
    """Return the columns that are used, as text."""
    names = list(reader.fieldnames or ())
    missing = next((name for name in NEEDED if name not in names), None)
    if missing is not None:
        raise LogError(f"{path}: has no column {missing}")
    wanted = [*NEEDED, *(name for name in names if name.startswith("user_feature_"))]
    columns: dict[str, list[str]] = {name: [] for name in wanted}
    for number, row in enumerate(reader, 2):
        if number > ROWS_MAX:
            raise LogError(f"{path}: has more than {ROWS_MAX:,} rows")
        for name in wanted:
            columns[name].append(row[name] or "")
    if not columns["item_id"]:
        raise LogError(f"{path}: holds no rows")
    return columns


def numbers(cells: list[str], name: str, path: Path) -> Vector:
    """Return a column of numbers, or name the first cell that is none."""
    try:
        return np.array(cells, dtype=np.float64)
    except ValueError:
        for line, cell in enumerate(cells, 2):
            if not is_number(cell):
                raise LogError(f"{path}:{line}: {name} is {cell!r}, not a number") from None
        raise


def is_number(cell: str) -> bool:
    """Return whether a cell holds a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def codes(cells: list[str]) -> Codes:
    """Return a number from 0 on for each distinct cell, in sorted order."""
    _, found = np.unique(np.array(cells), return_inverse=True)
    return found.astype(np.int64)


def item_ids(path: Path) -> list[str]:
    """Return the campaign's items in the order of their ids; none when there is no list."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [row["item_id"] for row in csv.DictReader(file)]


def present(directory: Path) -> str:
    """Return what is there instead."""
    found = sorted(
        f"{path.parent.parent.name}/{path.parent.name}"
        for path in directory.glob("*/*/*.csv")
        if path.stem == path.parent.name
    )
    return f"found: {', '.join(found)}" if found else "the directory holds no log of this layout"


def policy_named(
    directory: Path, name: str, campaign: str, log: Log
) -> tuple[TablePolicy, Log | None]:
    """Return the policy on the log's rows, and its own log when it has one: the truth.

    `random` is the uniform distribution. Any other policy is known only by its own log, and is
    taken as constant over time: how often each item stood at each position.
    """
    own_path = directory / name / campaign / f"{campaign}.csv"
    own = campaign_log(directory, name, campaign) if own_path.exists() else None
    if name == RANDOM:
        return uniform_policy(log), own
    if own is None:
        raise LogError(f"--policy {name}: {own_path} is not there")
    if own.item_count != log.item_count:
        raise LogError(f"--policy {name}: its log has {own.item_count} items, not {log.item_count}")
    return TablePolicy(log, frequencies(own)), own

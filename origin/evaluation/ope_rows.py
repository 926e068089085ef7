"""Our own log for off-policy evaluation: one row per position of a slate, as a file of rows.

| column | type | |
|---|---|---|
| slate_id | text | rows of one slate; they are resampled together |
| item_id | text | what was put there |
| position | integer from 0 | |
| propensity | (0, 1] | the logged probability of that choice |
| reward | [0, 1] | what it earned |
| target_propensity | [0, 1] | of the same item under the policy to be judged (`target`) |
| context.NAME; device, region, entry_category | text, optional | for the reward model |
| target_items, target_propensities | lists, optional | that policy's whole distribution |
| explored | boolean | whether it was not the greedy choice: makes the policy `greedy` known |
| candidates | integer | how many there were to choose from: for the policy `uniform` |
| seen | boolean, optional | rows of slates that nobody saw are left out |

This includes what `attune export training-set` writes. Without the lists, IPS and SNIPS can be had,
and nothing that needs a reward model.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, cast

import numpy as np

from origin.dataset.rows import DatasetError, Reject, Row, format_of, open_rows
from origin.evaluation.ope_log import ListedPolicy, Log, LogError, Spread

CONTEXT = "context."
CONTEXT_COLUMNS = ("device", "region", "entry_category")
OwnPolicy = Literal["target", "greedy", "uniform"]
OWN_POLICIES: tuple[OwnPolicy, ...] = ("target", "greedy", "uniform")
ROWS_BETWEEN_REPORTS = 5_000


@dataclass(slots=True)
class Codebook:
    """Numbers from 0 on for values in the order of their appearance."""

    places: dict[str, int] = field(default_factory=dict[str, int])

    def code(self, value: str) -> int:
        """Return the value's number."""
        return self.places.setdefault(value, len(self.places))


@dataclass(slots=True)
class Columns:
    """The rows read so far."""

    items: Codebook = field(default_factory=Codebook)
    slates: Codebook = field(default_factory=Codebook)
    contexts: dict[str, Codebook] = field(default_factory=dict[str, Codebook])
    codes: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])
    figures: list[tuple[float, float, float]] = field(
        default_factory=list[tuple[float, float, float]]
    )
    context_codes: list[list[int]] = field(default_factory=list[list[int]])
    spread_rows: list[int] = field(default_factory=list[int])
    spread_items: list[int] = field(default_factory=list[int])
    spread_probabilities: list[float] = field(default_factory=list[float])
    spread_known: bool = True


def read_log(
    path: Path, policy: OwnPolicy, progress: Callable[[str, int, int], None]
) -> tuple[Log, ListedPolicy]:
    """Return the log in a CSV, JSON lines or Parquet file, and the policy on its rows.

    Raises:
        LogError: naming the line and the field that is wrong.
    """
    columns = Columns()
    try:
        with open_rows(path, format_of(path)) as source:
            for number, row in enumerate(source.rows, 1):
                add(columns, row, path, policy)
                if number % ROWS_BETWEEN_REPORTS == 0:
                    progress("reading", source.position(), source.total)
    except DatasetError as error:
        raise LogError(str(error)) from error
    if not columns.codes:
        raise LogError(f"{path}: holds no rows")
    return log_of(columns)


def add(columns: Columns, row: Row | Reject, path: Path, policy: OwnPolicy) -> None:
    """Read one row into the columns."""
    if isinstance(row, Reject):
        raise LogError(f"{path}:{row.line}: {row.field} {row.problem}".replace(":  ", ": "))
    values, where = row.values, f"{path}:{row.line}"
    if values.get("seen") in (False, "false", "False"):
        return
    item = columns.items.code(text(values, "item_id", where))
    slate = columns.slates.code(text(values, "slate_id", where))
    position = int(number(values, "position", where, 0.0, 10_000.0))
    columns.codes.append((item, position, slate))
    columns.figures.append(
        (
            number(values, "reward", where, 0.0, 1.0),
            number(values, "propensity", where, 1e-12, 1.0),
            target_probability(values, policy, where),
        )
    )
    if not columns.contexts and len(columns.codes) == 1:
        columns.contexts = {
            name: Codebook()
            for name in values
            if name.startswith(CONTEXT) or name in CONTEXT_COLUMNS
        }
    columns.context_codes.append(
        [book.code(str(values.get(name))) for name, book in columns.contexts.items()]
    )
    if policy == "target":
        add_spread(columns, values, where)
    else:
        columns.spread_known = False


def target_probability(values: Mapping[str, object], policy: OwnPolicy, where: str) -> float:
    """Return the probability of the logged item under the policy to be judged.

    `greedy` is the logged policy without its exploration: it takes what was not explored, always.
    """
    if policy == "target":
        return number(values, "target_propensity", where, 0.0, 1.0)
    if policy == "uniform":
        return 1.0 / number(values, "candidates", where, 1.0, 1e9)
    explored = values.get("explored")
    if explored in (True, "true", "True"):
        return 0.0
    if explored in (False, "false", "False"):
        return 1.0
    problem = "is missing" if explored is None else f"is {explored!r}, not true or false"
    raise LogError(f"{where}: explored {problem}")


def add_spread(columns: Columns, values: Mapping[str, object], where: str) -> None:
    """Read the policy's whole distribution when the row holds it."""
    items, probabilities = values.get("target_items"), values.get("target_propensities")
    if not isinstance(items, list) or not isinstance(probabilities, list):
        columns.spread_known = False
        return
    names, shares = cast("list[object]", items), cast("list[object]", probabilities)
    if len(names) != len(shares):
        raise LogError(f"{where}: target_items and target_propensities differ in length")
    for name, share in zip(names, shares, strict=True):
        if not isinstance(share, int | float) or not 0.0 <= share <= 1.0:
            raise LogError(f"{where}: target_propensities must be numbers from 0 to 1")
        columns.spread_rows.append(len(columns.codes) - 1)
        columns.spread_items.append(columns.items.code(str(name)))
        columns.spread_probabilities.append(float(share))


def text(values: Mapping[str, object], name: str, where: str) -> str:
    """Return a field as text."""
    value = values.get(name)
    if value is None or value == "":
        raise LogError(f"{where}: {name} is missing")
    return str(value)


def number(values: Mapping[str, object], name: str, where: str, low: float, high: float) -> float:
    """Return a field as a number within bounds."""
    value = values.get(name)
    try:
        found = float(cast("str | float", value))
    except (TypeError, ValueError):
        problem = "is missing" if value is None else f"is {value!r}, not a number"
        raise LogError(f"{where}: {name} {problem}") from None
    if not low <= found <= high:
        raise LogError(f"{where}: {name} is {found:g}, not within {low:g} and {high:g}")
    return found


def log_of(columns: Columns) -> tuple[Log, ListedPolicy]:
    """Return the columns as arrays."""
    codes = np.array(columns.codes, dtype=np.int64)
    figures = np.array(columns.figures, dtype=np.float64)
    log = Log(
        items=codes[:, 0],
        positions=codes[:, 1],
        rewards=figures[:, 0],
        propensities=figures[:, 1],
        contexts=np.array(columns.context_codes, dtype=np.int64).reshape(len(codes), -1),
        slates=codes[:, 2],
        item_count=len(columns.items.places),
    )
    listed = None
    if columns.spread_known:
        listed = Spread(
            np.array(columns.spread_rows, dtype=np.int64),
            np.array(columns.spread_items, dtype=np.int64),
            np.array(columns.spread_probabilities),
        )
    return log, ListedPolicy(figures[:, 2], listed)

"""Off-policy evaluation: honest on worlds whose truth is known, and silent where it must be."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from origin.commands import main
from origin.evaluation.ope import Options, evaluated, shrunk, switched
from origin.evaluation.ope_log import (
    ListedPolicy,
    Log,
    LogError,
    TablePolicy,
    carried_weights,
    uniform_policy,
)
from origin.evaluation.ope_support import effective_rows

ITEMS, CONTEXTS, POSITIONS = 6, 4, 2


class World:
    """Click rates by context, item and position, and a logging policy that prefers some items."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        logits = -1.5 + rng.normal(0.0, 0.7, (CONTEXTS, 1)) + rng.normal(0.0, 0.8, (1, ITEMS))
        logits = logits + rng.normal(0.0, 0.5, (CONTEXTS, ITEMS))  # what the model cannot say
        self.rates = 1.0 / (1.0 + np.exp(-logits))
        liking = np.exp(rng.normal(0.0, 0.8, (CONTEXTS, ITEMS)))
        self.logging = liking / liking.sum(axis=1, keepdims=True)

    def log(self, slates: int, seed: int) -> Log:
        rng = np.random.default_rng(seed)
        contexts = np.repeat(rng.integers(0, CONTEXTS, slates), POSITIONS)
        draws = rng.random(len(contexts))[:, None]
        items = (self.logging[contexts].cumsum(axis=1) < draws).sum(axis=1)
        positions = np.tile(np.arange(POSITIONS), slates)
        rates = self.rates[contexts, items] / (1.0 + positions)
        return Log(
            items=items,
            positions=positions,
            rewards=(rng.random(len(items)) < rates).astype(np.float64),
            propensities=self.logging[contexts, items],
            contexts=contexts[:, None],
            slates=np.repeat(np.arange(slates), POSITIONS),
            item_count=ITEMS,
        )

    @property
    def truth(self) -> float:
        """The value of the uniform policy: half the rate at the second position."""
        return float(self.rates.mean() * 0.75)


def test_estimates_are_unbiased_and_their_intervals_cover_the_truth() -> None:
    world, runs = World(1), 200
    found = []
    for seed in range(runs):
        log = world.log(300, seed)
        found.append(evaluated(log, uniform_policy(log), Options(resamples=200, seed=seed)))
    for name in ("ips", "snips", "dr"):
        estimates = [evaluation.estimates[name] for evaluation in found]
        values = np.array([estimate.value for estimate in estimates])
        error = values.std(ddof=1) / np.sqrt(runs)
        if name in ("ips", "dr"):
            assert abs(values.mean() - world.truth) < 5 * error
        for intervals in ("normal", "bootstrap"):
            covered = np.mean([getattr(e, intervals).contains(world.truth) for e in estimates])
            # 0.95 less five standard errors of a share over 200 runs: 0.95 - 5 * 0.0154.
            assert covered > 0.873, (name, intervals, covered)
    exact = [evaluation.estimates["ips"].bernstein for evaluation in found]
    assert all(interval is not None and interval.contains(world.truth) for interval in exact)


def test_a_reward_model_that_explains_rewards_makes_the_doubly_robust_estimate_calmer() -> None:
    world = World(2)
    found = []
    for seed in range(40):
        log = world.log(300, seed)
        rates = world.rates[log.contexts[:, 0], log.items] / (1.0 + log.positions)
        log = replace(log, rewards=rates)  # no luck in the rewards: what is left is the weights'
        found.append(evaluated(log, uniform_policy(log), Options(resamples=100)))
    spread = {
        name: np.std([evaluation.estimates[name].value for evaluation in found])
        for name in ("ips", "dr", "dros")
    }
    assert spread["dr"] < 0.8 * spread["ips"]
    assert spread["dros"] < 0.8 * spread["ips"]


def test_shrinkage_is_nearer_to_the_truth_where_single_weights_are_huge() -> None:
    world = World(10)
    world.logging = world.logging**3 / (world.logging**3).sum(axis=1, keepdims=True)
    errors: dict[str, list[float]] = {"ips": [], "dros": [], "switch": []}
    for seed in range(60):
        log = world.log(1_500, seed)
        evaluation = evaluated(log, uniform_policy(log), Options(resamples=100))
        for name, estimate in evaluation.estimates.items():
            if name in errors:
                errors[name].append((estimate.value - world.truth) ** 2)
    assert len(errors["ips"]) >= 30  # the others were abstained from
    assert np.mean(errors["dros"]) < np.mean(errors["ips"])
    assert np.mean(errors["switch"]) < np.mean(errors["ips"])


def test_a_log_judged_by_its_own_policy_gives_its_own_mean() -> None:
    log = World(3).log(400, 0)
    evaluation = evaluated(log, ListedPolicy(log.propensities, None), Options())
    assert evaluation.estimates["ips"].value == pytest.approx(log.rewards.mean())
    assert evaluation.overlap.effective_rows == pytest.approx(len(log))
    assert evaluation.verdict == "undecided"
    assert set(evaluation.estimates) == {"ips", "snips"}


def test_a_policy_that_plays_the_best_items_is_called_better_and_the_worst_worse() -> None:
    world = World(4)
    log = world.log(6_000, 0)
    order = np.argsort(world.rates.mean(axis=0))
    for items, verdict in ((order[-2:], "better"), (order[:2], "worse")):
        table = np.full((POSITIONS, ITEMS), 0.05)
        table[:, items] = 0.4
        assert evaluated(log, TablePolicy(log, table), Options()).verdict == verdict


def test_without_overlap_there_is_a_reason_instead_of_an_estimate() -> None:
    log = World(5).log(1_000, 0)
    few = replace(log, propensities=np.where(np.arange(len(log)) == 7, 1e-5, log.propensities))
    evaluation = evaluated(few, uniform_policy(few), Options())
    assert evaluation.verdict == "abstained"
    assert evaluation.estimates == {}
    assert "is worth 1.3 rows" in evaluation.overlap.reasons[0]


def test_choices_that_the_log_never_made_are_a_reason_to_abstain() -> None:
    log = World(6).log(1_000, 0)
    wider = replace(log, item_count=ITEMS + 2)
    table = np.full((POSITIONS, ITEMS + 2), 1.0 / (ITEMS + 2))
    evaluation = evaluated(wider, TablePolicy(wider, table), Options())
    assert evaluation.overlap.unsupported_share == pytest.approx(0.25)
    assert any("25.0%" in reason for reason in evaluation.overlap.reasons)


def test_propensities_that_are_not_those_of_the_log_are_noticed() -> None:
    log = World(7).log(3_000, 0)
    wrong = replace(log, propensities=np.sqrt(log.propensities))
    assert "propensities" in evaluated(wrong, uniform_policy(wrong), Options()).overlap.reasons[0]


def test_clipping_bounds_weights_and_only_lowers_the_estimate() -> None:
    log = World(8).log(2_000, 0)
    policy = uniform_policy(log)
    plain, clipped = (evaluated(log, policy, Options(clip=clip)) for clip in (None, 1.5))
    assert clipped.overlap.clipped_share > 0.0
    assert clipped.estimates["ips"].value < plain.estimates["ips"].value
    bernstein = clipped.estimates["ips"].bernstein
    assert bernstein is not None
    assert bernstein.low < World(8).truth


def test_shrinkage_and_switch_leave_small_weights_alone() -> None:
    weights = np.array([0.5, 1.0, 50.0])
    assert shrunk(weights, np.inf) == pytest.approx(weights)
    assert shrunk(weights, 10.0)[2] < 1.0
    assert switched(weights, 2.0).tolist() == [0.5, 1.0, 0.0]
    assert effective_rows(np.ones(7)) == pytest.approx(7.0)


def test_a_cascade_multiplies_the_weights_of_the_positions_above() -> None:
    log = World(9).log(3, 0)
    shuffled = np.array([3, 0, 5, 1, 4, 2])
    rows = replace(log, positions=log.positions[shuffled], slates=log.slates[shuffled])
    weights = np.array([2.0, 3.0, 5.0, 7.0, 11.0, 13.0])[shuffled]
    assert carried_weights(rows, weights)[np.argsort(shuffled)].tolist() == [2, 6, 5, 35, 11, 143]


@pytest.mark.parametrize(
    ("field", "value"), [("propensities", 0.0), ("propensities", 1.5), ("rewards", -0.1)]
)
def test_impossible_columns_are_refused(field: str, value: float) -> None:
    log = World(1).log(10, 0)
    column = getattr(log, field).copy()
    column[3] = value
    with pytest.raises(LogError, match=field[:6]):
        evaluated(replace(log, **{field: column}), uniform_policy(log), Options())


def test_a_single_slate_is_no_log() -> None:
    log = replace(World(1).log(150, 0), slates=np.zeros(300, dtype=np.int64))
    with pytest.raises(LogError, match="two slates"):
        evaluated(log, uniform_policy(log), Options())


def run_ope(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["evaluate", "ope", *arguments])


def write_open_bandit(
    directory: Path, policy: str, rows: list[tuple[int, int, int, float]]
) -> None:
    folder = directory / policy / "men"
    folder.mkdir(parents=True)
    lines = [",timestamp,item_id,position,click,propensity_score,user_feature_0"]
    lines += [f"{n},t,{i},{p},{c},{q},u{n % 3}" for n, (i, p, c, q) in enumerate(rows)]
    (folder / "men.csv").write_text("\n".join(lines), encoding="utf-8")
    listed = [",item_id,item_feature_0", *(f"{n},{n},0.5" for n in range(4))]
    (folder / "item_context.csv").write_text("\n".join(listed), encoding="utf-8")


def test_the_open_bandit_layout_gives_the_figures_worked_out_by_hand(tmp_path: Path) -> None:
    # Four items; the log plays item 0 half of the time and the others a sixth each.
    rows = [(n % 6 if n % 6 < 4 else 0, 1 + n // 6 % 3, int(n % 20 == 0), 0.0) for n in range(600)]
    rows = [(i if i else 0, p, c, 0.5 if i == 0 else 1 / 6) for i, p, c, _ in rows]
    write_open_bandit(tmp_path, "bts", rows)
    write_open_bandit(
        tmp_path, "random", [(n % 4, 1 + n % 3, int(n < 9), 0.25) for n in range(240)]
    )
    result = run_ope("--dataset", str(tmp_path), "--campaign", "men", "--json")
    figures = json.loads(result.stdout)
    weights = [0.5 if i == 0 else 1.5 for i, _, _, _ in rows]
    earned = sum(w * c for w, (_, _, c, _) in zip(weights, rows, strict=True))
    assert figures["weights"]["effective_rows"] == pytest.approx(
        sum(weights) ** 2 / sum(w * w for w in weights)
    )
    assert figures["rewards"] == sum(c for _, _, c, _ in rows)
    assert figures["estimates"]["ips"]["value"] == pytest.approx(earned / 600)
    assert figures["estimates"]["snips"]["value"] == pytest.approx(earned / sum(weights))
    assert figures["truth"]["value"] == pytest.approx(9 / 240)
    assert not figures["abstained"]


def test_what_is_wrong_with_a_directory_is_said(tmp_path: Path) -> None:
    write_open_bandit(tmp_path, "bts", [(0, 1, 0, 0.5)] * 3)
    assert "--campaign" in run_ope("--dataset", str(tmp_path)).output
    missing = run_ope("--dataset", str(tmp_path), "--campaign", "women")
    assert missing.exit_code == 1
    assert "found: bts/men" in missing.output
    path = tmp_path / "bts" / "men" / "men.csv"
    path.write_text(path.read_text().replace("0.5,u1", "often,u1"), encoding="utf-8")
    wrong = run_ope("--dataset", str(tmp_path), "--campaign", "men")
    assert "men.csv:3: propensity_score is 'often'" in wrong.output


def own_rows(count: int) -> list[dict[str, object]]:
    log = World(1).log(count, 0)
    return [
        {
            "slate_id": f"s{log.slates[n]}",
            "item_id": f"i{log.items[n]}",
            "position": int(log.positions[n]),
            "propensity": float(log.propensities[n]),
            "reward": float(log.rewards[n]),
            "target_propensity": 1 / ITEMS,
            "context.device": f"c{log.contexts[n, 0]}",
            "target_items": [f"i{k}" for k in range(ITEMS)],
            "target_propensities": [1 / ITEMS] * ITEMS,
        }
        for n in range(len(log))
    ]


def test_our_own_log_is_read_from_json_lines_and_parquet_alike(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = own_rows(400)
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "log.parquet")
    texts, parquet = (
        json.loads(run_ope("--dataset", str(tmp_path / name), "--json").stdout)
        for name in ("log.jsonl", "log.parquet")
    )
    assert texts["estimates"] == parquet["estimates"]
    assert set(texts["estimates"]) == {"ips", "snips", "dm", "dr", "dros", "switch"}
    assert (texts["slates"], texts["rows"]) == (400, 800)
    table = run_ope("--dataset", str(tmp_path / "log.parquet"), "--cascade")
    assert table.exit_code == 0
    assert "snips" in table.output


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("propensity", 0.0, "propensity is 0, not within"),
        ("reward", "much", "reward is 'much', not a number"),
        ("item_id", None, "item_id is missing"),
        ("target_propensity", None, "target_propensity is missing"),
        ("target_propensities", [1.0], "target_items and target_propensities differ in length"),
    ],
)
def test_a_wrong_row_of_our_own_log_is_named(
    tmp_path: Path, field: str, value: object, said: str
) -> None:
    rows = own_rows(5)
    rows[2][field] = value
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    result = run_ope("--dataset", str(path))
    assert result.exit_code == 1
    assert f"log.jsonl:3: {said}" in result.output


def exported_rows(slates: int) -> list[dict[str, object]]:
    """Rows as `attune export training-set` writes them: one arm is greedy, three are explored."""
    rng = np.random.default_rng(5)
    rows: list[dict[str, object]] = []
    for slate in range(slates):
        for position in range(2):
            explored = bool(rng.random() < 0.15)
            item = int(rng.integers(1, 4)) if explored else 0
            rows.append(
                {
                    "slate_id": f"s{slate}",
                    "seen": slate % 10 != 0,
                    "device": "mobile",
                    "candidates": 4,
                    "item_id": f"i{item}",
                    "position": position,
                    "propensity": 0.05 if explored else 0.85,
                    "explored": explored,
                    "reward": float(rng.random() < (0.1 if explored else 0.4)),
                }
            )
    return rows


def test_an_exported_training_set_tells_what_exploring_costs(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = exported_rows(2_000)
    path = tmp_path / "export.parquet"
    pq.write_table(pa.Table.from_pylist(rows), path)
    found = {
        name: json.loads(run_ope("--dataset", str(path), "--policy", name, "--json").stdout)
        for name in ("greedy", "uniform")
    }
    assert found["greedy"]["slates"] == 1_800  # the others nobody saw
    assert found["greedy"]["verdict"] == "better"
    # Five standard errors of a rate of 0.4 over 3,060 rows are 0.044; of the uniform one, whose
    # explored items earn 0.1 with weights of 5, 0.08.
    assert found["greedy"]["estimates"]["snips"]["value"] == pytest.approx(0.4, abs=0.044)
    assert found["uniform"]["estimates"]["ips"]["value"] == pytest.approx(0.175, abs=0.08)
    assert found["uniform"]["verdict"] == "worse"


def test_a_policy_that_the_log_cannot_name_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text(json.dumps(own_rows(1)[0]), encoding="utf-8")
    assert "none of target, greedy, uniform" in run_ope(
        "--dataset", str(path), "--policy", "best"
    ).output.replace("\n", " ")
    missing = run_ope("--dataset", str(path), "--policy", "greedy")
    assert "log.jsonl:1: explored is missing" in missing.output.replace("\n", "")

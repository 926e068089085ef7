"""The built workers are what `wrangler deploy` takes."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from origin.edge_server import CONFIG, ROOT

GZ_KIB_MAX = {"wrangler.toml": 6_000, "wrangler.scorer.toml": 4_000}
"""Well below the 10 MB that a paid plan takes, so that growth is noticed."""


@pytest.mark.parametrize("environment", ["staging", "production"])
@pytest.mark.parametrize("config", sorted(GZ_KIB_MAX))
def test_wrangler_would_deploy_the_built_workers(
    config: str, environment: str, tmp_path: Path
) -> None:
    wrangler = ROOT / "node_modules/.bin/wrangler"
    done = subprocess.run(
        [wrangler, "deploy", "--dry-run", "-c", config, "-e", environment, "--outdir", tmp_path],
        cwd=ROOT,
        env={**os.environ, "WRANGLER_SEND_METRICS": "false", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    size = re.search(r"gzip: ([\d.]+) KiB", done.stdout)
    assert size is not None
    assert float(size[1]) < GZ_KIB_MAX[config]


def test_both_ways_of_running_the_workers_take_the_same_modules() -> None:
    local = CONFIG.read_text()
    for worker in ("python", "scorer"):
        embedded = re.findall(rf'embed "{worker}/([^"]+)"', local)
        built = [path.name for path in (CONFIG.parent / worker).iterdir()]
        assert sorted(embedded) == sorted(built)


def test_every_environment_asks_the_scorer_that_is_deployed_beside_it() -> None:
    python, scorer = (
        tomllib.loads((ROOT / name).read_text())
        for name in ("wrangler.toml", "wrangler.scorer.toml")
    )
    assert set(python["env"]) == set(scorer["env"])
    for name, environment in python["env"].items():
        assert environment["services"][0]["service"] == f"{scorer['name']}-{name}"


def test_both_ways_of_running_the_workers_have_the_same_runtime() -> None:
    dates = re.findall(r'compatibilityDate = "([^"]+)"', CONFIG.read_text())
    for name in GZ_KIB_MAX:
        deployed = tomllib.loads((ROOT / name).read_text())
        assert set(dates) == {deployed["compatibility_date"]}
        assert "compatibility_flags" not in deployed

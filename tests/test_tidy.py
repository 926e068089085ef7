"""The house rules that a machine can hold; each failure says what to do."""

import ast
import json
import subprocess
import tomllib
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("attune", "edge_worker", "kafka_consumers", "origin")
MODULE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70
SCRIPT_LINES_MAX = 15
DRAWER_NAMES = {"util", "utils", "helper", "helpers", "common", "shared", "misc", "base", "manager"}
STANDARD_LIBRARY_OF_THE_KERNEL = {
    "__future__", "array", "base64", "bisect", "collections", "dataclasses", "enum", "functools",
    "hashlib", "heapq", "hmac", "itertools", "json", "math", "operator", "random", "re", "string",
    "struct", "sys", "types", "typing", "unicodedata",
}  # fmt: skip


def tracked(*suffixes: str) -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\n")  # fmt: skip
    paths = [ROOT / name for name in names if name]
    return [path for path in paths if path.exists() and (not suffixes or path.suffix in suffixes)]


MODULES = [path for path in tracked(".py") if path.relative_to(ROOT).parts[0] in PACKAGES]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_says_its_subject_and_stays_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    assert ast.get_docstring(tree), "begin the module with a sentence that says its one subject"
    assert text.count("\n") <= MODULE_LINES_MAX, "split the module: one file, one subject"
    for function in functions(tree):
        length = (function.end_lineno or 0) - function.lineno + 1
        assert length <= FUNCTION_LINES_MAX, f"split {function.name}: {length} lines"


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.is_relative_to(ROOT / "attune")], ids=name_of
)
def test_the_kernel_is_pure(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for name in imported(tree):
        top = name.split(".")[0]
        assert top == "attune" or top in STANDARD_LIBRARY_OF_THE_KERNEL, (
            f"{name}: the kernel imports only itself and pure parts of the standard library"
        )
    for node in ast.walk(tree):
        waits = isinstance(node, ast.AsyncFunctionDef | ast.Await)
        assert not waits, "the kernel waits for nothing"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = ast.unparse(node.func)
            assert not called.startswith("random.") or called == "random.Random", (
                f"{called}: pass a seeded random.Random in; ambient dice cannot be replayed"
            )
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "print", "input"}, "the kernel does no I/O"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_only_settings_read_the_environment(path: Path) -> None:
    if path.stem == "settings" or path.is_relative_to(ROOT / "origin" / "commands"):
        return
    text = path.read_text(encoding="utf-8")
    for reading in ("os.environ", "os.getenv", "getenv("):
        assert reading not in text, "read the environment in a settings module and pass values in"


def test_no_drawers() -> None:
    for path in tracked():
        for part in path.relative_to(ROOT).parts:
            assert Path(part).stem.lower() not in DRAWER_NAMES, (
                f"{name_of(path)}: name the thing by what it is, not by who uses it"
            )


def test_sql_lives_in_sql_files() -> None:
    verbs = ("SELECT ", "INSERT INTO", "DELETE FROM", "UPDATE ", "CREATE TABLE")
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not node.value.lstrip().startswith(verbs), (
                    f"{name_of(path)}:{node.lineno}: put the statement under a name in a .sql file"
                )


def test_scripts_are_short_and_runnable() -> None:
    for path in (ROOT / "scripts").iterdir():
        if path.is_file():
            lines = path.read_text(encoding="utf-8").count("\n")
            assert lines <= SCRIPT_LINES_MAX, f"{path.name}: move the logic into the package"
            assert path.stat().st_mode & 0o111, f"{path.name}: chmod +x"


def test_edge_sources_only_entry_knows_javascript() -> None:
    for path in (ROOT / "edge_worker").rglob("*.py"):
        names = {name.split(".")[0] for name in imported(ast.parse(path.read_text("utf-8")))}
        if path.name != "entry.py":
            assert not names & {"js", "pyodide"}, f"{path.name}: JavaScript stops at entry.py"


def test_shipped_graphs_name_no_file_of_the_machine_that_made_them() -> None:
    for path in (ROOT / "models" / "onnx").glob("*.onnx"):
        assert b".py" not in path.read_bytes(), f"{path.name}: export it without traces"


def test_locks_record_no_registry_address() -> None:
    assert "://" not in (ROOT / "constraints.txt").read_text(encoding="utf-8")
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


def test_constraints_pin_every_dependency() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = chain(project["dependencies"], *project["optional-dependencies"].values())
    pinned = {
        line.split("==")[0].split("[")[0]
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
        if "==" in line
    }
    for requirement in wanted:
        bare = requirement.split(";")[0].split(">")[0].split("=")[0].split("[")[0].strip().lower()
        assert bare in pinned, f"{bare}: compile constraints.txt again (CONTRIBUTING.md)"

"""SQL statements by name, from files in which ``-- name: x`` starts each one."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

SQL = Path(__file__).parent / "sql"

NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def statements(name: str) -> Mapping[str, str]:
    """Return the statements of ``origin/storage/sql/<name>.sql`` by their names."""
    _, *parts = NAME.split((SQL / f"{name}.sql").read_text(encoding="utf-8"))
    found = {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}
    assert len(found) * 2 == len(parts), f"{name}.sql names a statement twice"
    return MappingProxyType(found)

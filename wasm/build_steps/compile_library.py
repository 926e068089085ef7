"""Pack every module that the edge worker loads, compiled, into one archive.

Runs inside stock Pyodide under Node at build time, because byte code belongs to one Python version.
"""

import importlib
import importlib._bootstrap_external as external
import importlib.util
import io
import sys
import zipfile
from importlib.machinery import ModuleSpec
from pathlib import Path

ENTRY = "edge_worker.entry"

# An archive holds no C extensions: this package looks for its own beside the archive.
EXTENDED = "msgpack"
EXTENSION_FOLDER = "/lib/python3.14/site-packages/msgpack"

# Docstrings and asserts stay out of the worker: -OO.
OPTIMIZATION = 2

# 1980-01-01: archives of the same modules are the same bytes.
EPOCH = (1980, 1, 1, 0, 0, 0)


def library() -> bytes:
    """Return a stored zip of every module that importing the entry loads, compiled."""
    for name in importlib.import_module(ENTRY).IMPORTED_LATE:
        importlib.import_module(name)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as out:
        for path, code in sorted(compiled_modules()):
            out.writestr(zipfile.ZipInfo(path, EPOCH), code)
    return archive.getvalue()


def compiled_modules() -> list[tuple[str, bytes]]:
    """Return (path in the archive, byte code) for every loaded module that has a source."""
    found: list[tuple[str, bytes]] = []
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        # An alias such as os.path is found under its own name.
        if not isinstance(spec, ModuleSpec) or spec.name != name or name == "__main__":
            continue
        source = source_of(spec)
        if name == EXTENDED and source is not None:
            source = f"__path__.append({EXTENSION_FOLDER!r})\n".encode() + source
        if source is not None:
            path = name.replace(".", "/") + ("/__init__" if spec.submodule_search_locations else "")
            found.append((path + ".pyc", byte_code(source, path + ".py")))
    return found


def source_of(spec: ModuleSpec) -> bytes | None:
    """Return the module's source; None for built-in, frozen and C modules."""
    origin = spec.origin or ""
    if not origin.endswith((".py", ".pyc")) or spec.loader is None:
        return None
    if Path(origin).is_file():
        return Path(origin).read_bytes()
    text = spec.loader.get_source(spec.name)
    return None if text is None else text.encode()


def byte_code(source: bytes, path: str) -> bytes:
    """Return a hash-based .pyc that is never checked against a source."""
    code = compile(source, path, "exec", dont_inherit=True, optimize=OPTIMIZATION)
    return bytes(external._code_to_hash_pyc(code, importlib.util.source_hash(source), False))

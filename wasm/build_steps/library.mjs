/** The worker's Python library: standard library, msgpack and our code, compiled and trimmed. */

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { loadPyodide } from "pyodide";

const COMPILER = new URL("compile_library.py", import.meta.url);

/** Paths (from `root`) of the Python sources of the packages that the worker may import. */
export function pythonSources(root, packages = ["attune", "edge_worker"]) {
  return packages
    .flatMap((name) =>
      readdirSync(join(root, name), { recursive: true }).map((file) => join(name, file)),
    )
    .filter((path) => path.endsWith(".py"))
    .sort();
}

/**
 * Return the archive of compiled modules and msgpack's C extension. Stock Pyodide makes it: its
 * compiler writes the byte code that its twin in the worker reads.
 *
 * @param {string} root       The repository.
 * @param {Uint8Array} wheel  msgpack's wheel, whose C extension is loaded from its file here.
 */
export async function compiledLibrary(root, wheel) {
  const python = await loadPyodide({ env: { PYTHONHASHSEED: "0" } });
  python.unpackArchive(wheel, "wheel");
  for (const path of pythonSources(root)) {
    const target = join("/app", path);
    python.FS.mkdirTree(target.slice(0, target.lastIndexOf("/")));
    python.FS.writeFile(target, readFileSync(join(root, path)));
  }
  python.runPython("import sys; sys.path.insert(0, '/app')");
  python.runPython(readFileSync(COMPILER, "utf8"), { filename: "compile_library.py" });
  const archive = python.runPython("library()");
  const library = archive.toJs();
  archive.destroy();
  return {
    library,
    extension: python.FS.readFile(python.runPython("sys.modules['msgpack._cmsgpack'].__file__")),
  };
}

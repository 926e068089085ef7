# The worker that makes the interpreter's snapshot; it runs while the edge is built, and never again.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "snapshot", worker = .snapshot)],
  sockets = [(name = "http", http = (), service = "snapshot")],
);

const snapshot :Workerd.Worker = (
  compatibilityDate = "2026-03-01",
  modules = [
    (name = "snapshot_worker.js", esModule = embed "snapshot_worker.js"),
    (name = "pyodide_boot.js", esModule = embed "python/pyodide_boot.js"),
    (name = "python_calls.js", esModule = embed "python/python_calls.js"),
    (name = "snapshot.js", esModule = embed "python/snapshot.js"),
    (name = "pyodide.asm.mjs", esModule = embed "python/pyodide.asm.mjs"),
    (name = "interpreter.wasm", wasm = embed "python/interpreter.wasm"),
    (name = "adapters.wasm", wasm = embed "python/adapters.wasm"),
    (name = "trampoline.wasm", wasm = embed "python/trampoline.wasm"),
    (name = "error_marker.wasm", wasm = embed "python/error_marker.wasm"),
    (name = "msgpack.wasm", wasm = embed "python/msgpack.wasm"),
    (name = "library.zip", data = embed "library.zip"),
    (name = "edge_scorer.json", text = embed "edge_scorer.json"),
  ],
);

# The edge tier on this machine: the same two workers that `wrangler deploy` uploads, in workerd.
#
#   workerd serve wasm/dist/workerd.capnp --socket-addr http=127.0.0.1:8600 \
#       --directory-path site=web --directory-path store=/var/lib/attune/edge
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "edge", worker = .edge),
    (name = "scorer", worker = .scorer),
    (name = "cache", worker = .cache),
    (name = "kv", worker = .kv),
    # What outlives the process: a folder that exists and is writable.
    (name = "store", disk = (writable = true, allowDotfiles = false)),
    (name = "site", disk = (path = "../../web", allowDotfiles = false)),
    # The origin is on this machine or in the same network.
    (name = "internet", network = (allow = ["public", "private", "local"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:8600", http = (), service = "edge")],
);

const edge :Workerd.Worker = (
  compatibilityDate = "2026-03-01",
  modules = [
    (name = "worker.js", esModule = embed "python/worker.js"),
    (name = "bundle_store.js", esModule = embed "python/bundle_store.js"),
    (name = "chores.js", esModule = embed "python/chores.js"),
    (name = "cors.js", esModule = embed "python/cors.js"),
    (name = "courier.js", esModule = embed "python/courier.js"),
    (name = "events.js", esModule = embed "python/events.js"),
    (name = "http.js", esModule = embed "python/http.js"),
    (name = "interpreter.js", esModule = embed "python/interpreter.js"),
    (name = "log.js", esModule = embed "python/log.js"),
    (name = "media.js", esModule = embed "python/media.js"),
    (name = "models.js", esModule = embed "python/models.js"),
    (name = "msgpack.js", esModule = embed "python/msgpack.js"),
    (name = "origin.js", esModule = embed "python/origin.js"),
    (name = "pyodide_boot.js", esModule = embed "python/pyodide_boot.js"),
    (name = "python_calls.js", esModule = embed "python/python_calls.js"),
    (name = "recommendations.js", esModule = embed "python/recommendations.js"),
    (name = "scoring.js", esModule = embed "python/scoring.js"),
    (name = "segment.js", esModule = embed "python/segment.js"),
    (name = "settings.js", esModule = embed "python/settings.js"),
    (name = "snapshot.js", esModule = embed "python/snapshot.js"),
    (name = "site.js", esModule = embed "python/site.js"),
    (name = "timing.js", esModule = embed "python/timing.js"),
    (name = "pyodide.asm.mjs", esModule = embed "python/pyodide.asm.mjs"),
    (name = "interpreter.wasm", wasm = embed "python/interpreter.wasm"),
    (name = "adapters.wasm", wasm = embed "python/adapters.wasm"),
    (name = "trampoline.wasm", wasm = embed "python/trampoline.wasm"),
    (name = "error_marker.wasm", wasm = embed "python/error_marker.wasm"),
    (name = "msgpack.wasm", wasm = embed "python/msgpack.wasm"),
    (name = "snapshot.bin", data = embed "python/snapshot.bin"),
    (name = "snapshot.json", text = embed "python/snapshot.json"),
    (name = "known_good.msgpack", data = embed "python/known_good.msgpack"),
  ],
  bindings = [
    (name = "SCORER", service = "scorer"),
    (name = "SITE", service = "site"),
    (name = "BUNDLES", kvNamespace = "kv"),
    (name = "ORIGIN_URL", fromEnvironment = "ATTUNE_ORIGIN_URL"),
    (name = "ATTUNE_IDENTITY_SECRET", fromEnvironment = "ATTUNE_IDENTITY_SECRET"),
    (name = "ATTUNE_IDENTITY_SECRET_PREVIOUS", fromEnvironment = "ATTUNE_IDENTITY_SECRET_PREVIOUS"),
    (name = "ATTUNE_IDENTITY_AUDIENCE", fromEnvironment = "ATTUNE_IDENTITY_AUDIENCE"),
    (name = "ATTUNE_WRITE_KEYS", fromEnvironment = "ATTUNE_WRITE_KEYS"),
    (name = "ATTUNE_CONSENT_FULL", fromEnvironment = "ATTUNE_CONSENT_FULL"),
    (name = "ATTUNE_CONSENT_COHORT", fromEnvironment = "ATTUNE_CONSENT_COHORT"),
    (name = "ATTUNE_RATE_LIMIT", fromEnvironment = "ATTUNE_RATE_LIMIT"),
    (name = "ATTUNE_ALLOWED_ORIGINS", fromEnvironment = "ATTUNE_ALLOWED_ORIGINS"),
    (name = "ATTUNE_CLIENT_ADDRESS_HEADER", fromEnvironment = "ATTUNE_CLIENT_ADDRESS_HEADER"),
  ],
  globalOutbound = "internet",
  cacheApiOutbound = "cache",
);

const scorer :Workerd.Worker = (
  compatibilityDate = "2026-03-01",
  modules = [
    (name = "scorer.js", esModule = embed "scorer/scorer.js"),
    (name = "features.js", esModule = embed "scorer/features.js"),
    (name = "ort.mjs", esModule = embed "scorer/ort.mjs"),
    (name = "ort.wasm", wasm = embed "scorer/ort.wasm"),
    (name = "edge_scorer.onnx", data = embed "scorer/edge_scorer.onnx"),
    (name = "edge_scorer.json", text = embed "scorer/edge_scorer.json"),
  ],
);

const cache :Workerd.Worker = (
  compatibilityDate = "2026-03-01",
  modules = [(name = "cache.js", esModule = embed "local/cache.js")],
);

const kv :Workerd.Worker = (
  compatibilityDate = "2026-03-01",
  modules = [(name = "kv.js", esModule = embed "local/kv.js")],
  bindings = [(name = "DISK", service = "store")],
);

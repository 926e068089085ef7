/** The Python interpreter of this isolate: started by the first request, replaced if it dies. */

import adapters from "./adapters.wasm";
import manifest from "./edge_scorer.json";
import errorMarker from "./error_marker.wasm";
import code from "./interpreter.wasm";
import library from "./library.zip";
import msgpack from "./msgpack.wasm";
import { bootPyodide } from "./pyodide_boot.js";
import trampoline from "./trampoline.wasm";

const EXTENSIONS = { "msgpack/_cmsgpack.cpython-314-wasm32-emscripten.so": msgpack };

/** What JavaScript calls. */
const METHODS = [
  "begin",
  "resume",
  "finish",
  "drop",
  "offer_bundle",
  "offer_policy",
  "begin_events",
  "finish_events",
  "status",
];

let starting;

/** How often Python was started in this isolate: more than once means that it died. */
export let boots = 0;

/** Return the methods of Python's entry object (see edge_worker/entry.py). */
export function python() {
  starting ??= start().catch((error) => {
    starting = undefined;
    throw error;
  });
  return starting;
}

/** Whether Python runs already. */
export const isStarted = () => starting !== undefined;

async function start() {
  boots += 1;
  const onFatal = () => {
    starting = undefined;
  };
  const parts = {
    adapters,
    errorMarker,
    interpreter: code,
    library,
    trampoline,
    extensions: EXTENSIONS,
    onFatal,
  };
  const interpreter = await bootPyodide(parts);
  const { Entry } = interpreter.pyimport("edge_worker.entry");
  const entry = Entry(new TextEncoder().encode(manifest));
  // Every look at a Python attribute makes a proxy that lives until JavaScript's collector finds it.
  return Object.fromEntries(METHODS.map((name) => [name, entry[name]]));
}

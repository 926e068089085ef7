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

let starting;

/** How often Python was started in this isolate: more than once means that it died. */
export let boots = 0;

/** Return Python's entry object (see edge_worker/entry.py). */
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
  const parts = { adapters, errorMarker, interpreter: code, library, trampoline, extensions: EXTENSIONS, onFatal };
  const interpreter = await bootPyodide(parts);
  const { Entry } = interpreter.pyimport("edge_worker.entry");
  return Entry(new TextEncoder().encode(manifest));
}

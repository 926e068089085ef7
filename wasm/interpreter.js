/** The Python interpreter of this isolate: started by the first request, replaced if it dies. */

import adapters from "./adapters.wasm";
import errorMarker from "./error_marker.wasm";
import code from "./interpreter.wasm";
import knownGood from "./known_good.msgpack";
import msgpack from "./msgpack.wasm";
import { PythonError } from "./python_calls.js";
import { settings } from "./settings.js";
import pages from "./snapshot.bin";
import { restored } from "./snapshot.js";
import head from "./snapshot.json";
import trampoline from "./trampoline.wasm";

const PARTS = {
  adapters,
  errorMarker,
  interpreter: code,
  trampoline,
  extensions: { "msgpack/_cmsgpack.cpython-314-wasm32-emscripten.so": msgpack },
};

let starting;

/** How often Python was started in this isolate: more than once means that it died. */
export let boots = 0;

/** Return Python's phases by name (see edge_worker/phases.py). */
export async function python() {
  return (await interpreter()).phases;
}

/** Whether Python runs already. */
export const isStarted = () => starting !== undefined;

/** Return {calls, phases}; production needs the phases alone. */
export function interpreter() {
  if (starting === undefined) {
    const attempt = start(() => {
      if (starting === attempt) starting = undefined;
    });
    starting = attempt;
  }
  return starting;
}

async function start(over) {
  boots += 1;
  try {
    const described = JSON.parse(head);
    const calls = await restored(PARTS, described, pages);
    calls.call(described.woke_up, []);
    const phases = Object.entries(described.phases).map(([name, address]) => [
      name,
      guarded(calls, address, over),
    ]);
    const named = Object.fromEntries(phases);
    named.configure(settings());
    named.offer_known_good(new Uint8Array(knownGood));
    return { calls, phases: named };
  } catch (error) {
    over();
    throw error;
  }
}

/** Return the call of one phase; an interpreter that died is never called again. */
function guarded(calls, address, over) {
  return (...values) => {
    if (calls.isDead) throw new Error("this interpreter has died");
    try {
      return calls.call(address, values);
    } catch (error) {
      if (error instanceof PythonError) throw error;
      calls.isDead = true;
      over();
      throw new Error("the interpreter died", { cause: error });
    }
  };
}

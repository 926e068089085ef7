/** The worker with a front door to its single phases, for tests; it is never deployed. */

import { interpreter } from "./interpreter.js";
import { pack, unpack } from "./msgpack.js";
import worker from "./worker.js";

export default {
  async fetch(request, env, context) {
    if (new URL(request.url).pathname !== "/phases") return worker.fetch(request, env, context);
    try {
      const [phase, ...values] = unpack(new Uint8Array(await request.arrayBuffer()));
      const result = await call(phase, values, env);
      return new Response(result instanceof Uint8Array ? result : pack(result ?? null));
    } catch (error) {
      return new Response(String(error.stack ?? error), { status: 500 });
    }
  },
};

async function call(phase, values, env) {
  if (phase === "score") return env.SCORER.score(...values);
  const { calls, phases } = await interpreter();
  return phase === "run" ? calls.run(...values) : phases[phase](...values);
}

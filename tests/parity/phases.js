/** The worker with a front door to its single phases, for tests; it is never deployed. */

import { interpreter } from "./interpreter.js";
import { pack, unpack } from "./msgpack.js";
import worker from "./worker.js";

export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (!["/phases", "/calls"].includes(pathname)) return worker.fetch(request, env, context);
    try {
      if (pathname === "/calls") return new Response(await all(request, env));
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

/** Make some calls one after the other; return what they return, null where that is nothing. */
async function all(request, env) {
  const results = [];
  for (const [phase, ...values] of unpack(new Uint8Array(await request.arrayBuffer())))
    results.push((await call(phase, values, env)) ?? null);
  return pack(results);
}

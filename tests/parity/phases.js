/** A worker that calls the edge's phases one by one, for the parity tests; it is never deployed. */

import { python } from "./interpreter.js";
import { pack, unpack } from "./msgpack.js";

export default {
  async fetch(request, env) {
    try {
      const [phase, ...values] = unpack(new Uint8Array(await request.arrayBuffer()));
      if (phase === "score") return new Response(await env.SCORER.score(...values));
      const entry = await python();
      const result = entry[phase](...values);
      return new Response(result instanceof Uint8Array ? result : pack(result));
    } catch (error) {
      return new Response(String(error.stack ?? error), { status: 500 });
    }
  },
};

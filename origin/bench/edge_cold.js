/** What a cold start costs without Python: the same modules, present and unused, and one answer. */

import adapters from "./adapters.wasm";
import errorMarker from "./error_marker.wasm";
import interpreter from "./interpreter.wasm";
import msgpack from "./msgpack.wasm";
import pages from "./snapshot.bin";
import head from "./snapshot.json";
import trampoline from "./trampoline.wasm";
import worker from "./worker.js";

const modules = [adapters, errorMarker, interpreter, msgpack, pages, head, trampoline];

export default {
  async fetch(request, env, context) {
    if (request.method !== "POST") return worker.fetch(request, env, context);
    const body = await request.json();
    return Response.json({ items: [], surface: body.surface, modules: modules.length });
  },
};

/** The deployment's settings for Python: every ATTUNE_ variable of the worker, as msgpack. */

import { env } from "cloudflare:workers";
import { pack } from "./msgpack.js";

export function settings() {
  const ours = Object.entries(env).filter(
    ([name, value]) => name.startsWith("ATTUNE_") && typeof value === "string",
  );
  return pack(Object.fromEntries(ours));
}

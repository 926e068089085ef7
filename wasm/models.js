/** The edge scorer's newer models: fetched behind an answer, checked, given to the scorer worker. */

import { note, warn } from "./log.js";
import { unpack } from "./msgpack.js";
import { fetchGraph, fetchManifest } from "./origin.js";

/** The newest model, for a scorer worker that lost it: {manifest, sha256}. */
let inForce;
let isLoading = false;

/** Give the scorer worker the model in force again: a new one starts with the one it shipped with. */
export async function loadAgain(env) {
  if (isLoading || inForce === undefined) return;
  isLoading = true;
  await loadModel(env, inForce.manifest, inForce.sha256)
    .catch((error) => warn("model_not_loaded", { problem: String(error.stack ?? error) }))
    .finally(() => {
      isLoading = false;
    });
}

/** Put a newer model in force, without a pause: the old one scores until the new one is loaded. */
export async function renewModel(entry, etag, env) {
  const newer = await fetchManifest(env, etag);
  if (newer === null) return;
  const { load, refused } = unpack(entry.offer_model(newer.bytes, newer.etag));
  if (refused !== undefined) warn("model_refused", { problem: refused });
  if (load === undefined) return;
  const problem = await loadModel(env, newer.bytes, load).catch((error) => error);
  entry.model_loaded(problem === undefined);
  if (problem === undefined) inForce = { manifest: newer.bytes, sha256: load };
  if (problem === undefined) note("model_loaded", { sha256: load });
  else warn("model_not_loaded", { sha256: load, problem: String(problem.stack ?? problem) });
}

/** Give the scorer worker the graph; raise what keeps it from being used. */
async function loadModel(env, manifest, sha256) {
  if (env.SCORER === undefined) throw new Error("there is no scorer worker");
  const graph = await fetchGraph(env, sha256);
  if (graph === null) throw new Error("the origin does not hand out the graph");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", graph));
  const found = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== sha256) throw new Error(`the graph has sha256 ${found}`);
  await env.SCORER.load(manifest, graph);
}

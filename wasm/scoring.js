/** Asking the scorer worker, which is never waited for while it still loads its model. */

import { loadAgain } from "./models.js";
import { within } from "./timing.js";

/** Loading the model takes half a second; an attempt that takes longer has been lost. */
const LOADING_MS = 5_000;

/**
 * How long the loading waits for the answer that asked for it: where both workers share a thread, as
 * in one workerd, the loading would hold the answer up.
 */
const COURTESY_MS = 5;

const NOTHING = new Uint8Array(0);

let isLoaded = false;
let loadingUntil = 0;

/** Return the answer that edge_worker/model.py reads; empty when the scorer is missing, loading or late. */
export async function scored(env, context, { inputs, model, scorer_deadline_ms }) {
  if (inputs === undefined || env.SCORER === undefined) return NOTHING;
  if (!isLoaded) {
    context.waitUntil(loadedBehind(env));
    return NOTHING;
  }
  // The model that the scorer worker was deployed with needs no name.
  const asked = model === undefined ? [inputs] : [inputs, model];
  const scores = await within(env.SCORER.score(...asked), scorer_deadline_ms);
  if (scores === null && model !== undefined) context.waitUntil(loadAgain(env));
  return scores ?? NOTHING;
}

/** Have the scorer load its model, once, behind the answer. */
export async function loadedBehind(env) {
  if (isLoaded || env.SCORER === undefined || Date.now() < loadingUntil) return;
  loadingUntil = Date.now() + LOADING_MS;
  await new Promise((resolve) => setTimeout(resolve, COURTESY_MS));
  try {
    await env.SCORER.warm();
    isLoaded = true;
  } catch (error) {
    console.warn("the scorer could not load its model:", error.message);
  }
}

/** POST /v1/recommendations: Python decides in two or three calls, the waiting between them is here. */

import { readBundle, writeBundle } from "./bundle_store.js";
import { doChores } from "./chores.js";
import { Refusal, credentials, json, jsonBody } from "./http.js";
import { isStarted, python } from "./interpreter.js";
import knownGood from "./known_good.msgpack";
import { warn } from "./log.js";
import { pack, unpack } from "./msgpack.js";
import { fetchBundle } from "./origin.js";
import { scored } from "./scoring.js";
import { Timing, within } from "./timing.js";

const NOTHING = new Uint8Array(0);

/** Python's seed and the slate's id are made of these. */
const ENTROPY_BYTES = 18;

/** The last good answer of each surface, for when Python itself fails; first the deployment's own. */
const lastKnownGood = new Map(Object.entries(unpack(new Uint8Array(knownGood)).answers));
const SURFACES_MAX = 100;

/** What an edge answers that has never seen a bundle and whose interpreter fails. */
const EMPTY = JSON.stringify({ schema: 1, slate_id: "static", items: [], degraded: "static" });

export async function recommend(request, env, context) {
  const timing = new Timing();
  const body = await jsonBody(request);
  const arrival = packedArrival(request, body, env);
  let answer;
  try {
    const entry = isStarted() ? await python() : await timing.time("boot", python);
    answer = await answered(entry, arrival, env, context, timing);
  } catch (error) {
    warn("slate_failed", { error: String(error.stack ?? error) });
    answer = json(200, lastResort(body?.surface ?? "home"));
  }
  answer.headers.set("Server-Timing", timing.ended());
  return answer;
}

/** Return the surface's last known good answer, else another one's: something beats nothing. */
function lastResort(surface) {
  return lastKnownGood.get(surface) ?? lastKnownGood.values().next().value ?? EMPTY;
}

/** Return the request as Python reads it. */
export function packedArrival(request, body, env) {
  try {
    return pack({
      body,
      global_privacy_control: request.headers.get("Sec-GPC") === "1",
      region: request.cf?.country ?? null,
      now_ms: Date.now(),
      entropy: crypto.getRandomValues(new Uint8Array(ENTROPY_BYTES)),
      ...credentials(request, env),
    });
  } catch (error) {
    throw new Refusal(400, "", `the body is not usable: ${error.message}`);
  }
}

async function answered(entry, arrival, env, context, timing) {
  let plan = await timing.time("prepare", () => unpack(entry.begin(arrival)));
  if (plan.status !== undefined) return json(plan.status, plan.body, plan.headers);
  const { handle, headers } = plan;
  try {
    workBehind(entry, plan, env, context);
    if (plan.wait !== undefined) {
      plan = await withBundle(entry, plan, env, context, timing);
      workBehind(entry, plan, env, context);
    }
    const scores = await timing.time("score", () => scored(env, context, plan));
    return json(200, await timing.time("decide", () => entry.finish(handle, scores)), headers);
  } finally {
    entry.drop(handle);
  }
}

/** Wait for the request's bundle, from the Cache API or the origin, and go on with what came. */
async function withBundle(entry, { handle, wait }, env, context, timing) {
  let came = await timing.time("cache", () => readBundle(env, wait.key));
  if (came === null) {
    const hasSpare = await timing.time("cache", () => offerSpare(entry, wait.spares, env, context));
    // Nobody waits longer than for a spare where there is one; 0 asks nobody.
    const deadline = hasSpare ? Math.min(wait.deadline_ms, wait.spare_deadline_ms) : wait.deadline_ms;
    came = { source: "none", bytes: null };
    if (deadline > 0)
      came = await timing.time("origin", () => fromOrigin(entry, wait, deadline, env, context));
  }
  const { bytes, source } = came;
  const plan = await timing.time("prepare", () =>
    unpack(entry.resume(handle, bytes ?? NOTHING, source, Date.now())),
  );
  if (bytes !== null) keep(wait.key, bytes, source, plan, env, context);
  return plan;
}

/** Give Python the first of the spare bundles that the Cache API has; return whether it had one. */
async function offerSpare(entry, spares, env, context) {
  for (const key of spares) {
    const found = await readBundle(env, key);
    if (found !== null && offer(entry, key, found, env, context)) return true;
  }
  return false;
}

async function fromOrigin(entry, { key, question }, deadlineMs, env, context) {
  const flight = fetchBundle(env, context, key, question);
  const landed = await within(flight, deadlineMs);
  if (landed !== null) return landed;
  // Whoever gives up waiting still wants the bundle for the next request.
  offerLanded(entry, key, flight, env, context);
  return { source: "late", bytes: null };
}

/** Start what a plan wants done behind the answer. */
function workBehind(entry, plan, env, context) {
  for (const { key, question } of plan.behind ?? []) {
    offerLanded(entry, key, fetchBundle(env, context, key, question), env, context);
  }
  if (plan.chores !== undefined) doChores(entry, plan.chores, env, context);
}

/** Give Python what a fetch behind the answer brings. */
function offerLanded(entry, key, flight, env, context) {
  context.waitUntil(flight.then((landed) => offer(entry, key, landed, env, context)));
}

/** Give Python a bundle; return whether it was accepted. */
function offer(entry, key, { bytes, source }, env, context) {
  const outcome = unpack(entry.offer_bundle(key, bytes ?? NOTHING, source, Date.now()));
  keep(key, bytes, source, outcome, env, context);
  return outcome.keep_ms > 0;
}

/** Put a bundle that Python accepted where it outlives this isolate. */
function keep(key, bytes, source, { keep_ms, static: good }, env, context) {
  if (keep_ms > 0 && source === "origin") context.waitUntil(writeBundle(env, key, bytes, keep_ms));
  if (good !== undefined && (lastKnownGood.has(good.surface) || lastKnownGood.size < SURFACES_MAX))
    lastKnownGood.set(good.surface, good.body);
}

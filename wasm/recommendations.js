/** POST /v1/recommendations: Python decides in two or three calls, the waiting between them is here. */

import { readBundle, writeBundle } from "./bundle_store.js";
import { Refusal, credentials, json, jsonBody } from "./http.js";
import { isStarted, python } from "./interpreter.js";
import { pack, unpack } from "./msgpack.js";
import { fetchBundle, fetchPolicy } from "./origin.js";
import { Timing, within } from "./timing.js";

const NOTHING = new Uint8Array(0);

/** Python's seed and the slate's id are made of these. */
const ENTROPY_BYTES = 18;

/** The last good answer of each surface, for when Python itself fails. */
const lastKnownGood = new Map();
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
    console.error("a slate failed, the last known good one is served:", error.stack ?? error);
    answer = json(200, lastKnownGood.get(body?.surface ?? "home") ?? EMPTY);
  }
  answer.headers.set("Server-Timing", timing.header());
  return answer;
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
    const scores = await timing.time("score", () => scored(env, plan));
    return json(200, await timing.time("decide", () => entry.finish(handle, scores)), headers);
  } finally {
    entry.drop(handle);
  }
}

/** Wait for the request's bundle, from the Cache API or the origin, and go on with what came. */
async function withBundle(entry, { handle, wait }, env, context, timing) {
  let bytes = await timing.time("cache", () => readBundle(wait.key));
  let source = bytes === null ? "none" : "cache";
  if (bytes === null) {
    const hasSpare = await timing.time("cache", () => offerSpare(entry, wait.spares, context));
    const deadline = hasSpare ? wait.spare_deadline_ms : wait.deadline_ms;
    if (deadline > 0) {
      bytes = await timing.time("origin", () => fromOrigin(entry, wait, deadline, env, context));
      source = bytes === null ? "late" : "origin";
    }
  }
  const now = Date.now();
  const plan = await timing.time("prepare", () =>
    unpack(entry.resume(handle, bytes ?? NOTHING, source, now)),
  );
  if (source === "origin") keep(wait.key, bytes, plan, context);
  return plan;
}

/** Give Python the first of the spare bundles that the Cache API has; return whether it had one. */
async function offerSpare(entry, spares, context) {
  for (const key of spares) {
    const bytes = await readBundle(key);
    if (bytes !== null && offer(entry, key, bytes, "cache", context)) return true;
  }
  return false;
}

async function fromOrigin(entry, { key, question }, deadlineMs, env, context) {
  const flight = fetchBundle(env, context, key, question);
  const bytes = await within(flight, deadlineMs);
  // Whoever gives up waiting still wants the bundle for the next request.
  if (bytes === null) offerLanded(entry, key, flight, context);
  return bytes;
}

/** Start what a plan wants done behind the answer. */
function workBehind(entry, plan, env, context) {
  for (const { key, question } of plan.behind) {
    offerLanded(entry, key, fetchBundle(env, context, key, question), context);
  }
  if (plan.policy_etag !== undefined) {
    const offered = fetchPolicy(env, plan.policy_etag).then((newer) => {
      if (newer !== null) entry.offer_policy(newer.bytes, newer.etag);
    });
    context.waitUntil(offered);
  }
}

/** Give Python what a fetch behind the answer brings. */
function offerLanded(entry, key, flight, context) {
  const offered = flight.then((bytes) => {
    if (bytes === null) entry.offer_bundle(key, NOTHING, "failed", Date.now());
    else offer(entry, key, bytes, "origin", context);
  });
  context.waitUntil(offered);
}

/** Give Python a bundle; return whether it was accepted. */
function offer(entry, key, bytes, source, context) {
  const outcome = unpack(entry.offer_bundle(key, bytes, source, Date.now()));
  keep(key, bytes, source === "origin" ? outcome : { ...outcome, keep_ms: 0 }, context);
  return outcome.keep_ms > 0;
}

/** Put a bundle that Python accepted where it outlives this isolate. */
function keep(key, bytes, { keep_ms, static: good }, context) {
  if (keep_ms > 0) context.waitUntil(writeBundle(key, bytes, keep_ms));
  if (good !== null && (lastKnownGood.has(good.surface) || lastKnownGood.size < SURFACES_MAX))
    lastKnownGood.set(good.surface, good.body);
}

/** Return the scorer's float32 values as bytes; empty when it is missing, late or not wanted. */
async function scored(env, { features, rows, scorer_deadline_ms }) {
  if (features === undefined || env.SCORER === undefined) return NOTHING;
  return (await within(env.SCORER.score(features, rows), scorer_deadline_ms)) ?? NOTHING;
}

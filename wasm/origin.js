/** Fetches from the origin: each has a deadline, and each bundle at most one flight at a time. */

import { note, warn } from "./log.js";
import { within } from "./timing.js";

/** A bundle that takes longer is given up, also behind an answer. */
const BUNDLE_MS = 5_000;
const POLICY_MS = 3_000;
const MODEL_MS = 10_000;
const EVENTS_MS = 4_000;
const BEHIND_MS = 5_000;

/** Bundles being fetched, by key. */
const flights = new Map();

/** More at once means that the origin hangs: then nobody adds to it. */
const FLIGHTS_MAX = 200;

const FAILED = { source: "failed", bytes: null };
const REFUSED = { source: "refused", bytes: null };

const MSGPACK = { "Content-Type": "application/msgpack", Accept: "application/msgpack" };

/** Whether the last fetch failed: only changes are logged. */
let isAway = false;

/**
 * Return a promise of {source, bytes}: "origin" with the bundle, else "failed", or "refused" where
 * the origin answered that it has none. A fetch of the same key that is under way is shared. The
 * request that starts it keeps it alive, whether its visitor waits or leaves: a flight cut short
 * would never land for those who share it.
 */
export function fetchBundle(env, context, key, question) {
  const underWay = flights.get(key);
  if (underWay !== undefined) return underWay;
  if (flights.size >= FLIGHTS_MAX) return Promise.resolve(FAILED);
  const flight = fetched(env, "/v1/bundle", posted(question), BUNDLE_MS)
    .then(landed)
    .finally(() => flights.delete(key));
  flights.set(key, flight);
  context.waitUntil(flight);
  return flight;
}

function landed(answer) {
  if (answer?.status === 200) return { source: "origin", bytes: answer.bytes };
  const isFinal = answer !== null && answer.status >= 400 && answer.status < 500;
  return isFinal && answer.status !== 429 && answer.status !== 408 ? REFUSED : FAILED;
}

/** Return the policy snapshot newer than `etag` as {bytes, etag}, null when there is none. */
export function fetchPolicy(env, etag) {
  return newer(env, "/v1/policy", etag, POLICY_MS);
}

/** Return the edge scorer's manifest newer than `etag` as {bytes, etag}, null when there is none. */
export function fetchManifest(env, etag) {
  return newer(env, "/v1/models/edge_scorer", etag, MODEL_MS);
}

async function newer(env, path, etag, deadlineMs) {
  const headers = etag === "" ? MSGPACK : { ...MSGPACK, "If-None-Match": etag };
  const answer = await fetched(env, path, { headers }, deadlineMs);
  return answer?.status === 200
    ? { bytes: answer.bytes, etag: answer.headers.get("ETag") ?? "" }
    : null;
}

/** Return the graph of this hash, null when it cannot be had. */
export async function fetchGraph(env, sha256) {
  const path = `/v1/models/edge_scorer/${encodeURIComponent(sha256)}.onnx`;
  const answer = await fetched(env, path, {}, MODEL_MS);
  return answer?.status === 200 ? answer.bytes : null;
}

/** Hand a batch of events on; return {status, bytes}, null when the origin does not answer. */
export function forwardEvents(env, body) {
  return fetched(env, "/v1/events", posted(body), EVENTS_MS);
}

/** Hand over served slates or a report; return whether the origin took them. */
export async function handOver(env, path, body) {
  const answer = await fetched(env, path, posted(body), BEHIND_MS);
  return answer !== null && answer.status < 300;
}

const posted = (body) => ({ method: "POST", headers: MSGPACK, body });

/** Return {status, headers, bytes} of the whole answer, null past the deadline or on an error. */
async function fetched(env, path, init, deadlineMs) {
  const controller = new AbortController();
  const whole = fetch(env.ORIGIN_URL + path, { ...init, signal: controller.signal }).then(
    async (response) => ({
      status: response.status,
      headers: response.headers,
      bytes: new Uint8Array(await response.arrayBuffer()),
    }),
  );
  const answer = await within(whole, deadlineMs);
  if (answer === null) controller.abort();
  noteWhetherAway(path, answer);
  return answer;
}

function noteWhetherAway(path, answer) {
  const failed = answer === null || answer.status >= 500;
  if (failed === isAway) return;
  isAway = failed;
  if (failed) warn("origin_away", { path, status: answer?.status ?? "no answer" });
  else note("origin_back", { path });
}

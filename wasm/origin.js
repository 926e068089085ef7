/** Fetches from the origin: each has a deadline, and each bundle at most one flight at a time. */

import { within } from "./timing.js";

/** A bundle that takes longer is given up, also behind an answer. */
const BUNDLE_MS = 5_000;
const POLICY_MS = 3_000;
const EVENTS_MS = 4_000;

/** Bundles being fetched, by key. */
const flights = new Map();

/** More at once means that the origin hangs: then nobody adds to it. */
const FLIGHTS_MAX = 200;

const MSGPACK = { "Content-Type": "application/msgpack", Accept: "application/msgpack" };

/**
 * Return a promise of the bundle's bytes, null when the origin fails; a fetch of the same key that
 * is under way is shared. The request that starts it keeps it alive, whether its visitor waits or
 * leaves: a flight cut short would never land for those who share it.
 */
export function fetchBundle(env, context, key, question) {
  const underWay = flights.get(key);
  if (underWay !== undefined) return underWay;
  if (flights.size >= FLIGHTS_MAX) return Promise.resolve(null);
  const init = { method: "POST", headers: MSGPACK, body: question };
  const flight = fetched(env, "/v1/bundle", init, BUNDLE_MS)
    .then((answer) => (answer?.status === 200 ? answer.bytes : null))
    .finally(() => flights.delete(key));
  flights.set(key, flight);
  context.waitUntil(flight);
  return flight;
}

/** Return the policy snapshot newer than `etag` as {bytes, etag}, null when there is none. */
export async function fetchPolicy(env, etag) {
  const headers = etag === "" ? MSGPACK : { ...MSGPACK, "If-None-Match": etag };
  const answer = await fetched(env, "/v1/policy", { headers }, POLICY_MS);
  return answer?.status === 200
    ? { bytes: answer.bytes, etag: answer.headers.get("ETag") ?? "" }
    : null;
}

/** Hand a batch of events on; return {status, bytes}, null when the origin does not answer. */
export function forwardEvents(env, body) {
  return fetched(env, "/v1/events", { method: "POST", headers: MSGPACK, body }, EVENTS_MS);
}

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
  return answer;
}

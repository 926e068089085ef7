/** Takes events to the origin: what comes while all its requests are under way shares the next one. */

import { forwardEvents } from "./origin.js";
import { within } from "./timing.js";

/** Requests at a time; below that, nobody waits for company. */
const REQUESTS_MAX = 4;

/** Batches that may wait for a request; with more the origin is too slow, and browsers keep theirs. */
const WAITING_MAX = 256;

/** The contract's limit for one request. */
const EVENTS_MAX = 500;

/** Longer than two requests take; a browser gives up after 10 s. */
const DEADLINE_MS = 8_500;

/** One more try, this much later, for an origin that restarts; what was taken twice counts once. */
const TRIES = 2;
const PAUSE_MS = 150;

const waiting = [];
let requests = 0;

/** Said to a batch that waits: make the next request, or make one for yourself alone. */
const LEAD = Symbol("lead");
const ALONE = Symbol("alone");

/**
 * Deliver a parcel {schema, count, forward} of events; return the origin's {status, bytes} and how
 * many events stood `before` and `after` the parcel's in its request; null when the origin does not
 * answer in time. The work goes on when its visitor leaves: others may share it.
 */
export function delivered(env, context, parcel) {
  const work = carried(env, parcel);
  context.waitUntil(work);
  return within(work, DEADLINE_MS);
}

async function carried(env, parcel) {
  if (requests < REQUESTS_MAX) requests += 1;
  else {
    if (waiting.length >= WAITING_MAX) return null;
    const turn = await new Promise((resolve) => waiting.push({ parcel, resolve }));
    if (turn === ALONE) return sent(env, [parcel]);
    if (turn !== LEAD) return turn;
  }
  const company = taken(parcel);
  const parcels = [parcel, ...company.map((other) => other.parcel)];
  let answer = null;
  try {
    answer = await sent(env, parcels);
  } finally {
    const next = waiting.shift();
    if (next === undefined) requests -= 1;
    else next.resolve(LEAD);
  }
  // Nobody's batch is refused for another one's fault.
  const isRefused = company.length > 0 && answer !== null && isFinal(answer) && answer.status >= 400;
  const [ours, ...others] = isRefused ? parcels.map(() => ALONE) : shares(answer, parcels);
  company.forEach((other, index) => other.resolve(others[index]));
  return isRefused ? sent(env, [parcel]) : ours;
}

/** Return for every parcel of a request the answer, and where its events stood in it. */
function shares(answer, parcels) {
  const total = parcels.reduce((sum, { count }) => sum + count, 0);
  let before = 0;
  return parcels.map(({ count }) => {
    before += count;
    return answer && { ...answer, before: before - count, after: total - before };
  });
}

/** Take from the front of those who wait as many as one request may carry. */
function taken(parcel) {
  const company = [];
  let events = parcel.count;
  while (waiting.length > 0 && events + waiting[0].parcel.count <= EVENTS_MAX) {
    const next = waiting.shift();
    events += next.parcel.count;
    company.push(next);
  }
  return company;
}

async function sent(env, parcels) {
  const body = framed(parcels);
  let answer = null;
  for (let tries = 0; tries < TRIES; tries++) {
    if (tries > 0) await new Promise((passed) => setTimeout(passed, PAUSE_MS));
    const started = Date.now();
    answer = await forwardEvents(env, body);
    // An origin that lets a request run into its deadline is not asked again.
    if ((answer !== null && isFinal(answer)) || Date.now() - started > 1_000) break;
  }
  return answer;
}

/** Whether asking again would get the same answer. */
export const isFinal = ({ status }) => status < 500 && status !== 429;

/** Return {"schema": schema, "events": [...]} as msgpack around events that are packed already. */
function framed(parcels) {
  const count = parcels.reduce((sum, parcel) => sum + parcel.count, 0);
  const bytes = parcels.reduce((sum, parcel) => sum + parcel.forward.length, 0);
  const text = new TextEncoder();
  const frame = new Uint8Array(21 + bytes);
  frame.set([0x82, 0xa6, ...text.encode("schema"), parcels[0].schema]);
  frame.set([0xa6, ...text.encode("events"), 0xdd], 9);
  new DataView(frame.buffer).setUint32(17, count);
  let at = 21;
  for (const { forward } of parcels) {
    frame.set(forward, at);
    at += forward.length;
  }
  return frame;
}

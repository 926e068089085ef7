/** Events: read and gated by Python, acknowledged once the origin has them. */

import { delivered, isFinal } from "./courier.js";
import { Refusal, json, jsonBody } from "./http.js";
import { python } from "./interpreter.js";
import { unpack } from "./msgpack.js";
import { packedArrival } from "./recommendations.js";

const NOTHING = new Uint8Array(0);

/** POST /v1/events. */
export async function takeEvents(request, env, context) {
  const arrival = packedArrival(request, await jsonBody(request), env);
  const entry = await python();
  return forwarded(entry, unpack(entry.begin_events(arrival)), env, context);
}

/** Carry out Python's plan for a batch and return its answer. */
export async function forwarded(entry, plan, env, context) {
  if (plan.status !== undefined) return json(plan.status, plan.body, plan.headers);
  const answer = await delivered(env, context, plan);
  const accepted = answer !== null && answer.status < 300;
  const said = accepted ? answer.bytes : NOTHING;
  entry.finish_events(plan.handle, said, answer?.before ?? 0, answer?.after ?? 0, Date.now());
  const { status, body } = plan.acknowledgement;
  if (accepted) return json(status, body, plan.headers);
  if (answer !== null && isFinal(answer)) return json(answer.status, answer.bytes);
  throw new Refusal(503, "", "the event log cannot be reached, send the events again later", {
    "Retry-After": String(plan.retry_after_s),
  });
}

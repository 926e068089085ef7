/** POST /v1/events: read and gated by Python, acknowledged once the origin has them. */

import { Refusal, json, jsonBody } from "./http.js";
import { python } from "./interpreter.js";
import { unpack } from "./msgpack.js";
import { forwardEvents } from "./origin.js";
import { packedArrival } from "./recommendations.js";

const NOTHING = new Uint8Array(0);

export async function takeEvents(request, env) {
  const arrival = packedArrival(request, await jsonBody(request), env);
  const entry = await python();
  const plan = unpack(entry.begin_events(arrival));
  if (plan.status !== undefined) return json(plan.status, plan.body, plan.headers);
  const answer = await forwardEvents(env, plan.forward);
  const accepted = answer !== null && answer.status < 300;
  entry.finish_events(plan.learned, plan.count, accepted ? answer.bytes : NOTHING, Date.now());
  if (accepted) return json(202, plan.acknowledgement, plan.headers);
  if (answer !== null && answer.status < 500 && answer.status !== 429)
    return json(answer.status, answer.bytes);
  throw new Refusal(503, "", "the event log cannot be reached, send the events again later", {
    "Retry-After": String(plan.retry_after_s),
  });
}

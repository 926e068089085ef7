/** What the edge does behind an answer: a newer policy and model, served slates, its report. */

import { warn } from "./log.js";
import { renewModel } from "./models.js";
import { pack, unpack } from "./msgpack.js";
import { fetchPolicy, handOver } from "./origin.js";
import { takeLatencies } from "./timing.js";

/** Do what Python says is due, once the answer is on its way. */
export function doChores(entry, due, env, context) {
  const work = afterTheAnswer().then(() =>
    Promise.allSettled([
      due.policy_etag !== undefined && renewPolicy(entry, due.policy_etag, env),
      due.model_etag !== undefined && renewModel(entry, due.model_etag, env),
      due.slates && sendSlates(entry, env),
      due.report && sendReport(entry, env),
    ]),
  );
  context.waitUntil(work.then(logFailures));
}

const afterTheAnswer = () => new Promise((resolve) => setTimeout(resolve, 0));

function logFailures(outcomes) {
  for (const { status, reason } of outcomes) {
    if (status === "rejected") warn("chore_failed", { error: String(reason?.stack ?? reason) });
  }
}

async function renewPolicy(entry, etag, env) {
  const newer = await fetchPolicy(env, etag);
  if (newer !== null) entry.offer_policy(newer.bytes, newer.etag, Date.now());
}

async function sendSlates(entry, env) {
  const batch = entry.take_slates(Date.now());
  if (batch.byteLength === 0) return;
  const accepted = await handOver(env, "/v1/slates", batch);
  entry.slates_sent(accepted, Date.now());
}

async function sendReport(entry, env) {
  const counted = entry.take_report();
  const latencies = takeLatencies();
  const report = pack({ ...unpack(counted), ...latencies.report });
  if (await handOver(env, "/v1/edge/metrics", report)) entry.report_arrived(counted);
  else latencies.putBack();
}

/** What the edge does behind an answer: a newer policy and model, served slates, its report. */

import { warn, note } from "./log.js";
import { pack, unpack } from "./msgpack.js";
import { fetchGraph, fetchManifest, fetchPolicy, handOver } from "./origin.js";
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

/** Put a newer model in force, without a pause: the old one scores until the new one is loaded. */
async function renewModel(entry, etag, env) {
  const newer = await fetchManifest(env, etag);
  if (newer === null) return;
  const { load, refused } = unpack(entry.offer_model(newer.bytes, newer.etag));
  if (refused !== undefined) warn("model_refused", { problem: refused });
  if (load === undefined) return;
  const problem = await loadModel(env, newer.bytes, load).catch((error) => error);
  entry.model_loaded(problem === undefined);
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

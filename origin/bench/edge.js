/** The edge worker with doors that its benchmark needs: an answer without Python, stages in loops. */

import { python } from "./interpreter.js";
import { unpack } from "./msgpack.js";
import { packedArrival } from "./recommendations.js";
import worker from "./worker.js";

/** As long as a slate of twelve. */
const ANSWER = JSON.stringify({ items: Array.from({ length: 12 }, () => "x".repeat(280)) });

const JSON_HEADERS = { "Content-Type": "application/json; charset=utf-8" };

/** Each returns a function that does the stage once for this request. */
const STAGES = {
  read: (request, text, env) => () => packedArrival(request, JSON.parse(text), env),
  begin: async (request, text, env) => {
    const phases = await python();
    const arrival = packedArrival(request, JSON.parse(text), env);
    return () => phases.drop(unpack(phases.begin(arrival)).handle);
  },
  score: async (request, text, env) => {
    const { inputs } = await begun(request, text, env);
    return () => env.SCORER.score(inputs);
  },
  finish: async (request, text, env) => {
    const { phases, handle, inputs } = await begun(request, text, env);
    const scores = await env.SCORER.score(inputs);
    return () => phases.finish(handle, scores);
  },
};

async function begun(request, text, env) {
  const phases = await python();
  const plan = unpack(phases.begin(packedArrival(request, JSON.parse(text), env)));
  phases.drop(plan.handle);
  const again = unpack(phases.begin(packedArrival(request, JSON.parse(text), env)));
  return { phases, ...again };
}

export default {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (!pathname.startsWith("/bench/")) return worker.fetch(request, env, context);
    const text = await request.text();
    const stage = STAGES[pathname.slice("/bench/".length)];
    if (stage === undefined) return new Response(ANSWER, { headers: JSON_HEADERS });
    const once = await stage(request, text, env);
    for (let loop = Number(searchParams.get("loops")); loop > 0; loop -= 1) await once();
    return new Response("{}", { headers: JSON_HEADERS });
  },
};

/** The scorer worker: one ONNX session, asked over RPC for one probability per candidate. */

import { WorkerEntrypoint } from "cloudflare:workers";

import manifest from "./edge_scorer.json";
import model from "./edge_scorer.onnx";
import * as ort from "./ort.mjs";
import runtime from "./ort.wasm";
import { WIDTH, featureRows } from "./features.js";

ort.env.wasm.numThreads = 1;
ort.env.wasm.proxy = false;
ort.env.wasm.instantiateWasm = (imports, receive) => {
  receive(new WebAssembly.Instance(runtime, imports), runtime);
  return {};
};

const EXECUTION = { executionProviders: ["wasm"] };

/** Models held at a time: while a newer one goes round, some of those who ask still want the old. */
const MODELS_MAX = 3;

const shipped = JSON.parse(manifest);

/** {session} by the graph's hash, the oldest first; the shipped one stays. */
const held = new Map([[shipped.sha256, {}]]);

/** Return the model's session; a start that failed is tried again by the next request. */
function sessionOf(entry) {
  entry.session ??= ort.InferenceSession.create(model, EXECUTION).catch((error) => {
    entry.session = undefined;
    throw error;
  });
  return entry.session;
}

async function forget(sha256) {
  const { session } = held.get(sha256);
  held.delete(sha256);
  await (await session).release();
}

/** Return one float32 per row. */
async function probabilities(entry, rows, count) {
  const input = new ort.Tensor("float32", rows, [count, WIDTH]);
  const { scores } = await (await sessionOf(entry)).run({ features: input });
  return scores.data;
}

/** Return both as bytes, one behind the other. */
function answered(scores, rows) {
  const answer = new Float32Array(scores.length + rows.length);
  answer.set(scores);
  answer.set(rows, scores.length);
  return new Uint8Array(answer.buffer);
}

export default class Scorer extends WorkerEntrypoint {
  /**
   * Return one float32 per candidate and, behind them, the rows that they were made from, as bytes;
   * null where the wanted model is not held (see `load`).
   *
   * @param {Uint8Array} inputs  what attune/scorer_inputs.py packs
   * @param {string} [sha256]    of the graph that is wanted; the shipped one's by default
   */
  async score(inputs, sha256 = shipped.sha256) {
    const entry = held.get(sha256);
    if (entry === undefined) return null;
    const { rows, count } = featureRows(inputs);
    return answered(await probabilities(entry, rows, count), rows);
  }

  /**
   * Hold a model beside those that are held. One that cannot score a row is not taken.
   *
   * @param {Uint8Array} described  its manifest
   * @param {Uint8Array} graph      its ONNX graph
   */
  async load(described, graph) {
    const { sha256, feature_order } = JSON.parse(new TextDecoder().decode(described));
    if (held.has(sha256)) return;
    if (feature_order.length !== WIDTH)
      throw new RangeError(`the graph wants ${feature_order.length} features, not ${WIDTH}`);
    const entry = { session: Promise.resolve(await ort.InferenceSession.create(graph, EXECUTION)) };
    const [score] = await probabilities(entry, new Float32Array(WIDTH), 1);
    if (!Number.isFinite(score)) throw new Error(`the graph scores ${score}`);
    held.set(sha256, entry);
    for (const old of held.keys()) {
      if (held.size <= MODELS_MAX) break;
      if (old !== shipped.sha256) await forget(old);
    }
  }

  /** Load the shipped model now rather than with the first score. */
  async warm() {
    await sessionOf(held.get(shipped.sha256));
  }

  fetch() {
    return new Response("the scorer answers over RPC only", { status: 404 });
  }
}

/** The scorer worker: one ONNX session, asked over RPC for one probability per candidate. */

import { WorkerEntrypoint } from "cloudflare:workers";

import manifest from "./edge_scorer.json";
import model from "./edge_scorer.onnx";
import * as ort from "./ort.mjs";
import runtime from "./ort.wasm";

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

/** {width, session} by the graph's hash, the oldest first; the shipped one stays. */
const held = new Map([[shipped.sha256, { width: shipped.feature_order.length }]]);

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

async function probabilities(entry, features, rows) {
  const values = new Float32Array(features.slice().buffer);
  const input = new ort.Tensor("float32", values, [rows, entry.width]);
  const { scores } = await (await sessionOf(entry)).run({ features: input });
  const { buffer, byteOffset, byteLength } = scores.data;
  return new Uint8Array(buffer, byteOffset, byteLength).slice();
}

export default class Scorer extends WorkerEntrypoint {
  /**
   * Return one float32 per row, as bytes; null where the wanted model is not held (see `load`).
   *
   * @param {Uint8Array} features  rows x width float32, row-major, little-endian
   * @param {number} rows
   * @param {string} [sha256]      of the graph that is wanted; the shipped one's by default
   */
  async score(features, rows, sha256 = shipped.sha256) {
    const entry = held.get(sha256);
    if (entry === undefined) return null;
    if (features.byteLength !== rows * entry.width * 4) {
      throw new RangeError(
        `${features.byteLength} bytes are not ${rows} rows of ${entry.width} float32`,
      );
    }
    return probabilities(entry, features, rows);
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
    const width = feature_order.length;
    const session = await ort.InferenceSession.create(graph, EXECUTION);
    const entry = { width, session: Promise.resolve(session) };
    const [score] = new Float32Array(
      (await probabilities(entry, new Uint8Array(4 * width), 1)).buffer,
    );
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

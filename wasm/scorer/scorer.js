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

const described = JSON.parse(manifest);

/** The session, or the attempt to start it; a failed one is tried again by the next request. */
let starting;

function session() {
  starting ??= ort.InferenceSession.create(model, { executionProviders: ["wasm"] }).catch(
    (error) => {
      starting = undefined;
      throw error;
    },
  );
  return starting;
}

export default class Scorer extends WorkerEntrypoint {
  /**
   * Return one float32 per row, as bytes.
   *
   * @param {Uint8Array} features  rows x width float32, row-major, little-endian
   * @param {number} rows
   */
  async score(features, rows) {
    const width = described.feature_order.length;
    if (features.byteLength !== rows * width * 4) {
      throw new RangeError(`${features.byteLength} bytes are not ${rows} rows of ${width} float32`);
    }
    const values = new Float32Array(features.slice().buffer);
    const started = await session();
    const input = new ort.Tensor("float32", values, [rows, width]);
    const { scores } = await started.run({ features: input });
    return new Uint8Array(
      scores.data.buffer,
      scores.data.byteOffset,
      scores.data.byteLength,
    ).slice();
  }

  /** Load the model now rather than with the first score. */
  async warm() {
    await session();
  }

  /** Return what the model is: name, version and the order of its features. */
  manifest() {
    return described;
  }

  fetch() {
    return new Response("the scorer answers over RPC only", { status: 404 });
  }
}

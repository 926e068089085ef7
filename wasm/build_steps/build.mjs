/** Build `wasm/dist/`: the Python worker and the scorer worker, ready to deploy or to run locally. */

import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

import { adapterModule } from "./adapters.mjs";
import { compiledLibrary, pythonSources } from "./library.mjs";
import { applyPatches } from "./patch.mjs";
import { PYODIDE_PATCHES } from "./pyodide_patches.mjs";
import { SCORER_PATCHES, unsharedMemory } from "./scorer_patches.mjs";
import { interpreterSnapshot } from "./snapshot.mjs";
import { trimmed } from "./trim.mjs";
import { msgpackWheel } from "./wheel.mjs";

const ROOT = join(dirname(fileURLToPath(import.meta.url)), "../..");
const WASM = join(ROOT, "wasm");
const DIST = join(WASM, "dist");
const STAMP = join(DIST, "inputs.sha256");
/** Where a build grows: an edge that runs keeps the old files until the new ones are complete. */
const UNFINISHED = join(WASM, "build", "dist");

const PYTHON_GLUE = readdirSync(WASM).filter((name) => name.endsWith(".js"));
/** Sources that call the interpreter's exports by name. */
const CALLERS = ["python_calls.js", "snapshot.js", "build_steps/snapshot_worker.js"];
/** What plain workerd lacks: a backing for the Cache API, and one for KV. */
const LOCAL = readdirSync(join(WASM, "local"));
const SCORER_GLUE = readdirSync(join(WASM, "scorer"));
const MODELS = process.argv[2] ?? join(ROOT, "models/onnx");
const MODEL = ["edge_scorer.onnx", "edge_scorer.json"];
const IS_TRAINED = MODEL.every((name) => existsSync(join(MODELS, name)));

/** What stands in for a model before `attune train`: it fits nothing, so the linear fallback ranks. */
const UNTRAINED = {
  "edge_scorer.onnx": "",
  "edge_scorer.json": JSON.stringify({ version: "untrained", feature_order: [] }),
};

/** Popular bundles that a deployment carries (`attune known-good`), and what stands in for them. */
const KNOWN_GOOD = join(WASM, "known_good.msgpack");
/** {"bundles": [], "answers": {}} in msgpack. */
const NOTHING_GOOD = Buffer.from("82a762756e646c657390a7616e737765727380", "hex");

/** Every file whose change makes another worker. */
function inputs() {
  const steps = readdirSync(join(WASM, "build_steps")).map((name) =>
    join("wasm/build_steps", name),
  );
  return [
    "package-lock.json",
    "wasm/workerd.capnp",
    ...LOCAL.map((name) => join("wasm/local", name)),
    ...steps,
    ...PYTHON_GLUE.map((name) => join("wasm", name)),
    ...SCORER_GLUE.map((name) => join("wasm/scorer", name)),
    ...pythonSources(ROOT),
    ...(existsSync(KNOWN_GOOD) ? ["wasm/known_good.msgpack"] : []),
    ...(IS_TRAINED ? MODEL.map((name) => relative(ROOT, join(MODELS, name))) : []),
  ];
}

function digest(paths) {
  const hash = createHash("sha256");
  for (const path of paths) hash.update(`${path}\0`).update(readFileSync(join(ROOT, path)));
  return hash.digest("hex");
}

/** A model whose bytes are not those that its manifest describes is never built in. */
function checkModel() {
  const { sha256 } = JSON.parse(modelFile("edge_scorer.json"));
  const found = createHash("sha256").update(modelFile("edge_scorer.onnx")).digest("hex");
  if (IS_TRAINED && found !== sha256) {
    throw new Error(`edge_scorer.onnx has sha256 ${found}, its manifest says ${sha256}`);
  }
}

function modelFile(name) {
  return IS_TRAINED ? readFileSync(join(MODELS, name)) : UNTRAINED[name];
}

function dependency(path) {
  return readFileSync(join(ROOT, "node_modules", path));
}

/** Put `bytes` at `name` in the distribution. */
function put(name, bytes) {
  const path = join(UNFINISHED, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
}

/** The text between two markers that must each stand once in a pinned file. */
function between(text, before, after) {
  const parts = text.split(before);
  if (parts.length !== 2)
    throw new Error(`${JSON.stringify(before)} stands ${parts.length - 1} times, not once`);
  return parts[1].slice(0, parts[1].indexOf(after));
}

async function pythonWorker() {
  for (const name of PYTHON_GLUE) put(`python/${name}`, readFileSync(join(WASM, name)));
  const { library, extension } = await compiledLibrary(ROOT, msgpackWheel(join(WASM, "build")));
  const stock = dependency("pyodide/pyodide.asm.mjs").toString();
  const { glue, wasm } = trimmed(
    applyPatches("pyodide.asm.mjs", stock, PYODIDE_PATCHES),
    dependency("pyodide/pyodide.asm.wasm"),
    [extension],
    CALLERS.map((name) => readFileSync(join(WASM, name), "utf8")).join("\n"),
  );
  put("python/pyodide.asm.mjs", glue);
  put("python/interpreter.wasm", wasm);
  put("python/msgpack.wasm", extension);
  put("python/adapters.wasm", adapterModule());
  put("python/trampoline.wasm", Buffer.from(between(stock, 'hexStringToUTF8Array("', '"'), "hex"));
  const loader = dependency("pyodide/pyodide.mjs").toString();
  put(
    "python/error_marker.wasm",
    Buffer.from(`AGFzbQ${between(loader, '"AGFzbQ', '"')}`, "base64"),
  );
  put("python/known_good.msgpack", existsSync(KNOWN_GOOD) ? readFileSync(KNOWN_GOOD) : NOTHING_GOOD);
  const folder = join(UNFINISHED, "python");
  const snapshot = await interpreterSnapshot(ROOT, folder, {
    "library.zip": library,
    "edge_scorer.json": modelFile("edge_scorer.json"),
  });
  put("python/snapshot.json", snapshot.head);
  put("python/snapshot.bin", snapshot.pages);
}

function scorerWorker() {
  checkModel();
  for (const name of SCORER_GLUE) put(`scorer/${name}`, readFileSync(join(WASM, "scorer", name)));
  const runtime = dependency("onnxruntime-web/dist/ort.wasm.bundle.min.mjs").toString();
  put("scorer/ort.mjs", applyPatches("ort.wasm.bundle.min.mjs", runtime, SCORER_PATCHES));
  put(
    "scorer/ort.wasm",
    unsharedMemory(dependency("onnxruntime-web/dist/ort-wasm-simd-threaded.wasm")),
  );
  for (const name of MODEL) put(`scorer/${name}`, modelFile(name));
}

function sizes(folder) {
  const files = readdirSync(join(DIST, folder)).map((name) =>
    readFileSync(join(DIST, folder, name)),
  );
  const total = (measure) => (files.reduce((sum, file) => sum + measure(file), 0) / 1e6).toFixed(2);
  return `${folder} worker ${total((file) => file.length)} MB, ${total((file) => gzipSync(file).length)} MB gz`;
}

const wanted = digest(inputs());
if (existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted) {
  console.log("wasm/dist is up to date");
} else {
  const started = Date.now();
  rmSync(UNFINISHED, { recursive: true, force: true });
  await pythonWorker();
  scorerWorker();
  for (const name of LOCAL) put(`local/${name}`, readFileSync(join(WASM, "local", name)));
  put("workerd.capnp", readFileSync(join(WASM, "workerd.capnp")));
  put("inputs.sha256", wanted);
  rmSync(DIST, { recursive: true, force: true });
  renameSync(UNFINISHED, DIST);
  if (!IS_TRAINED)
    console.warn(`no model in ${MODELS}: the linear fallback ranks until attune train`);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  console.log(`built wasm/dist in ${seconds} s: ${sizes("python")}; ${sizes("scorer")}`);
}

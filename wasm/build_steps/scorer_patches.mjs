/**
 * What is changed in onnxruntime-web 1.30.0 (ort.wasm.bundle.min.mjs and its wasm), and why.
 *
 * A worker has one thread, no shared memory and no way to compile wasm from bytes; the runtime runs
 * well without any of them once it is told so.
 */

/** Most memory the scorer may take: 64 MiB of the 128 that a worker has. */
const PAGES_MAX = 1024;

/** @type {import("./patch.mjs").Patch[]} */
export const SCORER_PATCHES = [
  {
    why: "the wasm module is instantiated by a hook, from a prepared module",
    find: "let v={numThreads:a};",
    put: "let v={numThreads:a,instantiateWasm:n.instantiateWasm};",
    times: 1,
  },
  {
    why: "the embedded glue is used, whatever the module's address",
    find: "[b,y]=await no(l,d,a>1,!!g||!!h)",
    put: "[b,y]=[void 0,Zr]",
    times: 1,
  },
  {
    why: "one thread needs no shared memory",
    find: "new WebAssembly.Memory({initial:256,maximum:65536,shared:!0})",
    put: `new WebAssembly.Memory({initial:256,maximum:${PAGES_MAX}})`,
    times: 1,
  },
  {
    why: "nor a probe for it",
    find: "globalThis.SharedArrayBuffer??new WebAssembly.Memory({initial:0,maximum:0,shared:!0}).buffer.constructor",
    put: "0",
    times: 1,
  },
  { why: "nobody else to wait for", find: "No=!Atomics.waitAsync||", put: "No=!0||", times: 1 },
  {
    why: "the probes compile wasm from bytes; every worker has SIMD",
    find: "ds=()=>{try{",
    put: "ds=()=>{return!0;try{",
    times: 1,
  },
  { why: "nor threads", find: "ls=()=>{if(", put: "ls=()=>{return!1;if(", times: 1 },
  {
    why: "nothing is imported at run time",
    find: "await import(/*webpackIgnore:true*/ /*@vite-ignore*/n)",
    put: '(()=>{throw new Error("not possible in a worker: import")})()',
    times: 1,
  },
  {
    why: "a module's own address is not known in a worker",
    find: "import.meta.url",
    put: '"file:///ort.mjs"',
    times: 11,
  },
];

/**
 * Return the runtime's wasm with its one imported memory made private: limits flag 3 (shared, with
 * a maximum) becomes 1, and the maximum ours.
 */
export function unsharedMemory(wasm) {
  const { bodyStart, end } = importSection(wasm);
  const body = wasm.subarray(bodyStart, end);
  // Memory import: kind 2, flag 3, minimum 256 = 80 02, maximum 65536 = 80 80 04.
  const shared = [2, 3, 0x80, 2, 0x80, 0x80, 4];
  const places = [...body.keys()].filter((at) => shared.every((byte, i) => body[at + i] === byte));
  if (places.length !== 1) {
    throw new Error(`the scorer's wasm: ${places.length} shared memory imports found, expected 1`);
  }
  const changed = body.slice();
  // The same number of bytes: LEB128 may be padded.
  changed.set([2, 1, 0x80, 2, (PAGES_MAX & 127) | 128, (PAGES_MAX >> 7) | 128, 0], places[0]);
  const result = wasm.slice();
  result.set(changed, bodyStart);
  return result;
}

function importSection(wasm) {
  for (let at = 8; at < wasm.length;) {
    const id = wasm[at];
    const [length, bodyStart] = leb(wasm, at + 1);
    if (id === 2) return { bodyStart, end: bodyStart + length };
    at = bodyStart + length;
  }
  throw new Error("the scorer's wasm has no import section");
}

function leb(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7, at += 1) {
    value |= (bytes[at] & 127) << shift;
    if (bytes[at] < 128) return [value, at + 1];
  }
}

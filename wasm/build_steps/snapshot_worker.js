/**
 * Makes the snapshot inside workerd, while the module is evaluated: there the clock stands still and
 * dice are refused, so that two builds from the same inputs give the same bytes.
 */

import adapters from "./adapters.wasm";
import manifest from "./edge_scorer.json";
import errorMarker from "./error_marker.wasm";
import code from "./interpreter.wasm";
import library from "./library.zip";
import msgpack from "./msgpack.wasm";
import { interpreterModule } from "./pyodide_boot.js";
import { PythonCalls } from "./python_calls.js";
import { PAGE_BYTES, prepare } from "./snapshot.js";
import trampoline from "./trampoline.wasm";

const PARTS = {
  adapters,
  errorMarker,
  interpreter: code,
  trampoline,
  extensions: { "msgpack/_cmsgpack.cpython-314-wasm32-emscripten.so": msgpack },
  // The dice of a snapshot are known to everybody; a worker that wakes up draws new ones.
  fillRandom: (view) => view.fill(7),
};

const ENTRY = "edge_worker.entry";

/** Return {head, pages, modules} of a snapshot. */
async function snapshot() {
  const module = await interpreterModule(PARTS, library);
  const calls = new PythonCalls(module);
  const edge = calls.address(calls.imported(ENTRY, "opened"), [new TextEncoder().encode(manifest)]);
  const names = new TextDecoder().decode(calls.call(calls.imported(ENTRY, "methods"), []));
  const head = {
    woke_up: calls.imported(ENTRY, "woke_up"),
    phases: Object.fromEntries(
      names.split("\n").map((name) => [name, calls.attribute(edge, name)]),
    ),
    arguments: calls.arguments,
  };
  calls.run("import sys; sys.path_importer_cache.clear()");
  clearFreeMemory(module);
  describe(module, head);
  const { started, asCompiled } = await blankMemory(head);
  const memory = new Uint32Array(module.HEAPU8.buffer);
  return { head, pages: chosenPages(memory, started, asCompiled, head) };
}

/** What else than the memory makes the interpreter what it is. */
function describe(module, head) {
  const { LDSO, stackSave, wasmTable } = module.attune.internals;
  head.memory_bytes = module.HEAPU8.byteLength;
  head.stack_pointer = stackSave();
  head.table_length = wasmTable.length;
  head.extensions = Object.entries(LDSO.loadedLibsByHandle)
    .filter(([handle]) => handle !== "0")
    .map(([handle, library]) => extension(module, Number(handle), library));
}

function extension(module, handle, { name, exports }) {
  const { getFunctionAddress } = module.attune.internals;
  const [memory_base, , table_base, table_size] = module.HEAPU32.subarray((handle + 12) >>> 2);
  const symbols = Object.keys(exports).filter(
    (symbol) => getFunctionAddress(exports[symbol]) >= table_base + table_size,
  );
  return { path: name, handle, memory_base, table_base, symbols };
}

/** Return the memory of a blank instance ready for its pages, and as the wasm module made it. */
async function blankMemory(head) {
  let asCompiled;
  const module = await interpreterModule(PARTS, null, (memory) => {
    asCompiled = new Uint32Array(memory.slice(0));
  });
  prepare(module, head);
  return { started: new Uint32Array(module.HEAPU8.buffer), asCompiled };
}

/** Sort the pages into `head` and return their contents. */
function chosenPages(memory, started, asCompiled, head) {
  const words = PAGE_BYTES / 4;
  const compiled = new Uint32Array(memory.length);
  compiled.set(asCompiled);
  const differs = (one, other, page) => {
    for (let word = page * words; word < (page + 1) * words; word += 1) {
      if (one[word] !== other[word]) return true;
    }
    return false;
  };
  const numbers = [...Array(memory.length / words).keys()];
  head.whole = numbers.filter((page) => differs(started, compiled, page));
  const written = new Set(head.whole);
  head.changed = numbers.filter((page) => !written.has(page) && differs(memory, compiled, page));
  const pages = new Uint32Array(words * (head.whole.length + head.changed.length));
  [...head.whole, ...head.changed].forEach((page, place) => {
    const base = place < head.whole.length ? null : compiled;
    for (let word = 0; word < words; word += 1) {
      const at = page * words + word;
      pages[place * words + word] = memory[at] ^ (base === null ? 0 : base[at]);
    }
  });
  return new Uint8Array(pages.buffer);
}

/** Overwrite what nobody uses: what lies there costs bytes and is nobody's business. */
function clearFreeMemory(module) {
  const held = [];
  const end = module._sbrk(0) >>> 0;
  for (let size = 1 << 20; size >= 16; size >>= 1) {
    for (;;) {
      const block = module._malloc(size) >>> 0;
      if (block === 0 || block + size > end) {
        module._free(block);
        break;
      }
      const usable = module._malloc_usable_size(block);
      module.HEAPU8.fill(0, block, block + usable);
      held.push(block);
    }
  }
  for (const block of held) module._free(block);
}

const made = await snapshot();

export default {
  fetch(request) {
    const { pathname } = new URL(request.url);
    return new Response(pathname === "/head" ? JSON.stringify(made.head) : made.pages);
  },
};

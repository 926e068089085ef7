/**
 * The snapshot of a warm interpreter: how it is laid out, and how it comes back to life.
 *
 * A page of 4 KiB that a fresh instance has as the wasm module made it is stored as XOR against
 * that, so that what did not change is zero; a page that starting an instance writes to is stored
 * whole, so that nothing depends on what was written there. Pages that are equal are left out.
 */

import { interpreterModule } from "./pyodide_boot.js";
import { PythonCalls } from "./python_calls.js";

export const PAGE_BYTES = 4096;
const PAGE_WORDS = PAGE_BYTES / 4;

/**
 * @typedef {object} SnapshotHead
 * @property {string} sha256           of the pages
 * @property {number} memory_bytes
 * @property {number} stack_pointer
 * @property {number} table_length     of the function table, before the first call
 * @property {number} arguments        see PythonCalls
 * @property {number} woke_up          address of the function to call first
 * @property {Record<string, number>} phases  addresses of Python's phases by name
 * @property {Extension[]} extensions  in the order in which they were loaded
 * @property {number[]} whole          numbers of the pages stored whole
 * @property {number[]} changed        numbers of the pages stored as XOR, behind those
 *
 * @typedef {object} Extension
 * @property {string} path
 * @property {number} handle
 * @property {number} memory_base
 * @property {number} table_base
 * @property {string[]} symbols  that were looked up, and so have a place in the function table
 */

/**
 * Return the border to an interpreter that goes on where the snapshot was made.
 *
 * @param {import("./pyodide_boot.js").Parts} parts
 * @param {SnapshotHead} head
 * @param {ArrayBuffer} pages
 */
export async function restored(parts, head, pages) {
  await verify(head, pages);
  const module = await interpreterModule(parts);
  prepare(module, head);
  putPages(new Uint32Array(module.HEAPU8.buffer), head, new Uint32Array(pages));
  module.attune.internals.stackRestore(head.stack_pointer);
  return new PythonCalls(module, head.arguments);
}

async function verify(head, pages) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", pages));
  const found = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== head.sha256)
    throw new Error(`the interpreter's snapshot has sha256 ${found}, expected ${head.sha256}`);
}

/** Bring a blank instance to where only its memory differs: its size, and the C extensions. */
export function prepare(module, head) {
  const { attune } = module;
  const { addFunction, growMemory, loadDynamicLibrary, LDSO, wasmTable } = attune.internals;
  growMemory(head.memory_bytes);
  for (const { path, handle, memory_base, table_base, symbols } of head.extensions) {
    if (wasmTable.length !== table_base)
      throw new Error(`${path}: table base ${wasmTable.length}, in the snapshot ${table_base}`);
    attune.memoryBase = memory_base;
    loadDynamicLibrary(path, { global: false, nodelete: false }, {}, handle);
    for (const name of symbols) addFunction(LDSO.loadedLibsByHandle[handle].exports[name]);
  }
  attune.memoryBase = undefined;
  if (wasmTable.length !== head.table_length)
    throw new Error(`${wasmTable.length} functions, in the snapshot ${head.table_length}`);
}

function putPages(memory, head, pages) {
  let from = 0;
  for (const page of head.whole) {
    memory.set(pages.subarray(from, from + PAGE_WORDS), page * PAGE_WORDS);
    from += PAGE_WORDS;
  }
  for (const page of head.changed) {
    const start = page * PAGE_WORDS;
    for (let word = 0; word < PAGE_WORDS; word += 1) memory[start + word] ^= pages[from + word];
    from += PAGE_WORDS;
  }
}

/**
 * Leaving out of the interpreter what a worker never touches, so that an instance starts in a tenth
 * of the time: Pyodide is built so that any C extension can be loaded later, and therefore exports
 * all of its 8,560 symbols, each of which costs an object, a look-up and a table entry at every start.
 * Kept is what the glue's own functions use, what our C extension imports, and what our own
 * JavaScript calls; the code itself stays as it is.
 */

const ASSIGNMENTS = "function assignWasmExports(wasmExports){";
const IMPORTS = "var wasmImports={";
const DECLARATIONS = "var _set_method_docstring,";

/** What an instance needs besides what is named in any text. */
const ALWAYS = ["memory", "__indirect_function_table", "__wasm_call_ctors", "__main_argc_argv"];

/**
 * Return the interpreter and its glue, trimmed.
 *
 * @param {string} glue               the patched pyodide.asm.mjs
 * @param {Uint8Array} wasm           pyodide.asm.wasm
 * @param {Uint8Array[]} extensions   C extensions that will be loaded
 * @param {string} callers            our sources that call exports as `module._name`
 */
export function trimmed(glue, wasm, extensions, callers) {
  const parts = dissected(glue);
  const wanted = importedNames([wasm, ...extensions]);
  const aliases = new Set([...words(parts.rest), ...words(callers)]);
  const keeps = (name, names) => wanted.has(name) || names.some((alias) => aliases.has(alias));
  const assignments = parts.assignments.filter(({ name, names }) => keeps(name, names));
  const assigned = new Set(assignments.flatMap(({ names }) => names));
  const declared = parts.declared.filter((name) => aliases.has(name) || assigned.has(name));
  const exported = new Set([...ALWAYS, ...assignments.map(({ name }) => name)]);
  const imports = parts.imports.filter((entry) => wanted.has(entry.split(":")[0]));
  return {
    glue:
      parts.before +
      `var ${declared.join(",")};` +
      parts.between +
      assignments.map(({ text }) => text).join(";") +
      "}" +
      IMPORTS +
      imports.join(",") +
      parts.after,
    wasm: withExports(wasm, (name) => exported.has(name) || wanted.has(name)),
  };
}

/** Return the glue in parts: around the declarations, the assignments and the list of imports. */
function dissected(glue) {
  const [declared, assigned, imported] = [DECLARATIONS, ASSIGNMENTS, IMPORTS].map((marker) =>
    placeOf(glue, marker),
  );
  const declaredEnd = glue.indexOf(";", declared) + 1;
  const bodyStart = assigned + ASSIGNMENTS.length;
  const importsEnd = glue.indexOf("}", imported);
  const parts = {
    before: glue.slice(0, declared),
    declared: glue.slice(declared + "var ".length, declaredEnd - 1).split(","),
    between: glue.slice(declaredEnd, bodyStart),
    assignments: glue
      .slice(bodyStart, imported - 1)
      .split(";")
      .map(assignment),
    imports: glue.slice(imported + IMPORTS.length, importsEnd).split(","),
    after: glue.slice(importsEnd),
  };
  return { ...parts, rest: parts.before + parts.between + parts.after };
}

function placeOf(text, marker) {
  const place = text.indexOf(marker);
  if (place < 0 || text.indexOf(marker, place + 1) >= 0)
    throw new Error(`${JSON.stringify(marker)} does not stand once in the interpreter's glue`);
  return place;
}

/** Return {text, names, name} of `alias=Module["alias"]=wasmExports["name"]`. */
function assignment(text) {
  const parts = text.split("=");
  const name = /^wasmExports\["([^"]+)"\]/.exec(parts.at(-1))?.[1];
  if (name === undefined) throw new Error(`not an assignment of an export: ${text}`);
  return { text, name, names: parts.slice(0, -1).filter((part) => /^[\w$]+$/.test(part)) };
}

const words = (text) => new Set(text.match(/[A-Za-z_$][\w$]*/g));

/** Return the names that modules import, as functions or by address. */
function importedNames(modules) {
  const names = modules.flatMap((bytes) => imports(bytes).map(({ name }) => name));
  return new Set(names);
}

/** Return the wasm module exporting only the names that `keeps` says yes to. */
function withExports(wasm, keeps) {
  const section = sectionOf(wasm, 7);
  const [count, first] = leb(wasm, section.start);
  const kept = [];
  for (let number = 0, at = first; number < count; number += 1) {
    const [length, text] = leb(wasm, at);
    const [, end] = leb(wasm, text + length + 1);
    const name = new TextDecoder().decode(wasm.subarray(text, text + length));
    if (keeps(name)) kept.push(wasm.subarray(at, end));
    at = end;
  }
  const body = Buffer.concat([Uint8Array.from(unsigned(kept.length)), ...kept]);
  const head = Uint8Array.from([7, ...unsigned(body.length)]);
  return Buffer.concat([wasm.subarray(0, section.at), head, body, wasm.subarray(section.end)]);
}

/** Return {name} of every import; the module is not compiled: this runs on any Node. */
function imports(wasm) {
  const section = sectionOf(wasm, 2);
  const [count, first] = leb(wasm, section.start);
  const found = [];
  for (let number = 0, at = first; number < count; number += 1) {
    const [moduleLength, moduleText] = leb(wasm, at);
    const [length, text] = leb(wasm, moduleText + moduleLength);
    found.push({ name: new TextDecoder().decode(wasm.subarray(text, text + length)) });
    at = afterDescription(wasm, text + length);
  }
  return found;
}

/** Return where an import's description ends. */
function afterDescription(wasm, at) {
  const kind = wasm[at];
  if (kind === 0) return leb(wasm, at + 1)[1]; // function: type
  if (kind === 3) return at + 3; // global: value type, mutability
  if (kind === 4) return leb(wasm, at + 2)[1]; // tag: attribute, type
  // Table: a type before its limits; memory: limits alone.
  const limits = kind === 1 ? at + 2 : at + 1;
  const minimumEnd = leb(wasm, limits + 1)[1];
  return wasm[limits] & 1 ? leb(wasm, minimumEnd)[1] : minimumEnd;
}

function sectionOf(wasm, wanted) {
  for (let at = 8; at < wasm.length;) {
    const [length, start] = leb(wasm, at + 1);
    if (wasm[at] === wanted) return { at, start, end: start + length };
    at = start + length;
  }
  throw new Error(`a wasm module has no section ${wanted}`);
}

/** Return [value, position behind it] of an unsigned LEB128. */
function leb(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7, at += 1) {
    value += (bytes[at] & 127) * 2 ** shift;
    if (bytes[at] < 128) return [value, at + 1];
  }
}

function unsigned(value) {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}

/**
 * An instance of Pyodide's interpreter inside a worker: what `pyodide.mjs` does, without any I/O,
 * without a module compiled at run time and without the bridge between the languages.
 */

import createPyodideModule from "./pyodide.asm.mjs";

const LIBRARY_PATH = "/lib/python314.zip";
const SITE_PACKAGES = "/lib/python3.14/site-packages";

/**
 * @typedef {object} Parts
 * @property {WebAssembly.Module} interpreter
 * @property {WebAssembly.Module} adapters    one pass-through per function signature
 * @property {WebAssembly.Module} trampoline
 * @property {WebAssembly.Module} errorMarker
 * @property {Record<string, WebAssembly.Module>} extensions  by path below site-packages
 */

/**
 * Return Emscripten's module with an interpreter that has been started from `library`, or, without
 * one, with a blank memory into which a snapshot can be put.
 *
 * @param {Parts} parts
 * @param {ArrayBuffer | null} library          the archive of compiled modules
 * @param {(memory: ArrayBuffer) => void} seen  is shown the memory before anything has run
 */
export async function interpreterModule(parts, library = null, seen = () => {}) {
  return await createPyodideModule({
    // What Pyodide's own API would be made of: it is never started.
    API: { config: { jsglobals: {}, env: {} }, runtimeEnv: { IN_WORKERD: true } },
    attune: hooks(parts),
    noInitialRun: library === null,
    noImageDecoding: true,
    noAudioDecoding: true,
    noWasmDecoding: false,
    thisProgram: "/bin/python",
    arguments: [],
    print: (line) => console.log(line),
    printErr: (line) => console.warn(line),
    locateFile: (path) => path,
    instantiateWasm: (imports, receive) => instantiate(parts, imports, receive, seen),
    preRun: [(started) => placeFiles(started, parts, library)],
  });
}

function hooks(parts) {
  const extensions = Object.entries(parts.extensions);
  return {
    adapt: adapter(parts.adapters),
    trampolineModule: parts.trampoline,
    sideModules: Object.fromEntries(
      extensions.map(([path, code]) => [`${SITE_PACKAGES}/${path}`, code]),
    ),
    fillRandom: parts.fillRandom ?? ((view) => crypto.getRandomValues(view)),
    /** Where the next C extension is to be put; undefined lets the interpreter choose. */
    memoryBase: undefined,
    /** Filled by the patched glue: functions of its own that a snapshot needs. */
    internals: undefined,
  };
}

/** Return a function that gives a JavaScript function the wasm type of a signature. */
function adapter(module) {
  const names = WebAssembly.Module.exports(module).map(({ name }) => name);
  return (func, signature) => {
    // Pointers are 32-bit integers.
    const type = signature.replaceAll("p", "i");
    if (!names.includes(type)) throw new Error(`no adapter for the signature ${signature}`);
    const imports = Object.fromEntries(names.map((name) => [name, func]));
    return new WebAssembly.Instance(module, { e: imports }).exports[type];
  };
}

function instantiate(parts, imports, receive, seen) {
  const marker = new WebAssembly.Instance(parts.errorMarker).exports;
  imports.env.Jsv_GetError_import = marker.Jsv_GetError_import;
  imports.env.JsvError_Check = marker.JsvError_Check;
  const instance = new WebAssembly.Instance(parts.interpreter, imports);
  seen(instance.exports.memory.buffer);
  receive(instance, parts.interpreter);
  return {};
}

function placeFiles(module, parts, library) {
  const { FS, API, ENV } = module;
  Object.assign(ENV, {
    HOME: "/home/pyodide",
    LANG: "C.UTF-8",
    PYTHONDONTWRITEBYTECODE: "1",
    // What bytes hash to must not differ between isolates: it decides the order of sets.
    PYTHONHASHSEED: "0",
  });
  API.pyVersionTuple = [3, 14, 2];
  API.sitePackages = SITE_PACKAGES;
  for (const folder of ["/home/pyodide", SITE_PACKAGES, "/lib/python3.14/lib-dynload"])
    FS.mkdirTree(folder);
  if (library !== null) FS.writeFile(LIBRARY_PATH, new Uint8Array(library), { canOwn: true });
  for (const path of Object.keys(parts.extensions)) {
    // The import system looks for a file; its code comes from the prepared module.
    FS.mkdirTree(`${SITE_PACKAGES}/${path.slice(0, path.lastIndexOf("/"))}`);
    FS.writeFile(`${SITE_PACKAGES}/${path}`, "");
  }
  FS.chdir("/home/pyodide");
}

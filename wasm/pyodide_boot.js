/**
 * Starting Pyodide inside a worker: what `pyodide.mjs` does, without any I/O and without a single
 * module compiled at run time.
 */

import createPyodideModule from "./pyodide.asm.mjs";

const LIBRARY_PATH = "/lib/python314.zip";
const SITE_PACKAGES = "/lib/python3.14/site-packages";

/**
 * Return Pyodide's public API with the library in place.
 *
 * @param {object} parts
 * @param {WebAssembly.Module} parts.interpreter
 * @param {WebAssembly.Module} parts.adapters    one pass-through per function signature
 * @param {WebAssembly.Module} parts.trampoline
 * @param {WebAssembly.Module} parts.errorMarker
 * @param {Record<string, WebAssembly.Module>} parts.extensions  by path below site-packages
 * @param {ArrayBuffer} parts.library
 * @param {(error: unknown) => void} parts.onFatal
 */
export async function bootPyodide(parts) {
  const api = { config: configuration(), runtimeEnv: { IN_WORKERD: true, IN_BROWSER: true } };
  const module = await createPyodideModule({
    API: api,
    attune: hooks(parts),
    noImageDecoding: true,
    noAudioDecoding: true,
    noWasmDecoding: false,
    thisProgram: api.config._sysExecutable,
    arguments: [],
    print: (line) => console.log(line),
    printErr: (line) => console.warn(line),
    locateFile: (path) => path,
    instantiateWasm: (imports, receive) => instantiate(parts, imports, receive),
    preRun: [(started) => placeFiles(started, parts)],
  });
  api.on_fatal = parts.onFatal;
  const python = module.API.finalizeBootstrap();
  module.API.initializeStreams();
  return python;
}

function configuration() {
  return {
    jsglobals: globalThis,
    env: {},
    args: [],
    packages: [],
    indexURL: "/",
    packageBaseUrl: "/",
    packageCacheDir: "/",
    cdnUrl: "/",
    enableRunUntilComplete: false,
    checkAPIVersion: true,
  };
}

function hooks(parts) {
  const extensions = Object.entries(parts.extensions);
  return {
    adapt: adapter(parts.adapters),
    trampolineModule: parts.trampoline,
    sideModules: Object.fromEntries(
      extensions.map(([path, code]) => [`${SITE_PACKAGES}/${path}`, code]),
    ),
    fillRandom: (view) => crypto.getRandomValues(view),
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

function instantiate(parts, imports, receive) {
  const marker = new WebAssembly.Instance(parts.errorMarker).exports;
  imports.env.Jsv_GetError_import = marker.Jsv_GetError_import;
  imports.env.JsvError_Check = marker.JsvError_Check;
  receive(new WebAssembly.Instance(parts.interpreter, imports), parts.interpreter);
  return {};
}

function placeFiles(module, parts) {
  const { FS, API, ENV } = module;
  // What bytes hash to must not differ between isolates: it decides the order of sets.
  Object.assign(ENV, { HOME: "/home/pyodide", PYTHONHASHSEED: "0", PYTHONDONTWRITEBYTECODE: "1" });
  API.pyVersionTuple = [3, 14, 2];
  API.sitePackages = SITE_PACKAGES;
  for (const folder of ["/home/pyodide", SITE_PACKAGES, "/lib/python3.14/lib-dynload"])
    FS.mkdirTree(folder);
  FS.writeFile(LIBRARY_PATH, new Uint8Array(parts.library), { canOwn: true });
  for (const path of Object.keys(parts.extensions)) {
    // The import system looks for a file; its code comes from the prepared module.
    FS.mkdirTree(`${SITE_PACKAGES}/${path.slice(0, path.lastIndexOf("/"))}`);
    FS.writeFile(`${SITE_PACKAGES}/${path}`, "");
  }
  FS.chdir("/home/pyodide");
}

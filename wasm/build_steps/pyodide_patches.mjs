/**
 * What is changed in pyodide.asm.mjs (pyodide 314.0.7), and why.
 *
 * workerd, like every Cloudflare worker, refuses code that is made at run time: no wasm compiled
 * from bytes, no `eval`. So everything that Emscripten would compile on the fly comes from modules
 * that the build prepared, handed in through `Module.attune`:
 *
 *   attune.adapt(func, signature)   a JavaScript function as a wasm function
 *   attune.trampolineModule         the module of CPython's call trampoline
 *   attune.sideModules[path]        compiled C extensions by file path
 *   attune.fillRandom(view)         where randomness comes from
 *   attune.memoryBase               where the next C extension goes (a snapshot has chosen)
 *
 * and out, for a snapshot, through `Module.attune.internals`: what the glue keeps to itself.
 */

/** @type {import("./patch.mjs").Patch[]} */
export const PYODIDE_PATCHES = [
  {
    why: "functions get their wasm type from prepared adapters instead of a module made of bytes",
    find: 'var bytes=Uint8Array.of(0,97,115,109,1,0,0,0,1,...uleb128EncodeWithLen([1,96,...generateTypePack(sig.slice(1)),...generateTypePack(sig[0]==="v"?"":sig[0])]),2,7,1,1,101,1,102,0,0,7,5,1,1,102,0,0);var module=new WebAssembly.Module(bytes);var instance=new WebAssembly.Instance(module,{e:{f:func}});var wrappedFunc=instance.exports["f"];return wrappedFunc',
    put: "return Module.attune.adapt(func,sig)",
    times: 1,
  },
  {
    why: "CPython's call trampoline is a prepared module",
    find: "trampolineModule=getWasmTrampolineModule()",
    put: "trampolineModule=Module.attune.trampolineModule",
    times: 1,
  },
  {
    why: "no probe whether wasm can be compiled: it cannot, and Python's stack is never suspended",
    find: "var canConstructWasm=true;try{new WebAssembly.Module(new Uint8Array([0,97,115,109,1,0,0,0]))}catch(e){canConstructWasm=false}",
    put: "var canConstructWasm=false;",
    times: 1,
  },
  {
    why: "C extensions come from prepared modules, not from the bytes of a file",
    find: "function loadLibData(){",
    put: "function loadLibData(){var prepared=Module.attune.sideModules[libName];if(prepared){return flags.loadAsync?Promise.resolve(prepared):prepared}",
    times: 1,
  },
  {
    why: "a C extension is put where the snapshot has it",
    find: "var getMemory=size=>{",
    put: "var getMemory=size=>{if(Module.attune.memoryBase!==undefined){return Module.attune.memoryBase}",
    times: 1,
  },
  {
    why: "a snapshot is made of, and restored with, what the glue keeps to itself",
    find: "wasmExports=await (createWasm());run();",
    put: "wasmExports=await (createWasm());Module.attune.internals={addFunction,getFunctionAddress,growMemory,loadDynamicLibrary,wasmTable,LDSO,stackSave,stackRestore};run();",
    times: 1,
  },
  {
    why: "a symbol gets an address once somebody asks for it, not because it exists",
    find: 'if(isInternalSym(symName)){continue}var value=exports[symName];',
    put: 'if(isInternalSym(symName)||!(symName in GOT)){continue}var value=exports[symName];',
    times: 1,
  },
  {
    why: "randomness passes a hook: it must not be drawn while a snapshot is made",
    find: "return view=>crypto.getRandomValues(view)",
    put: "return view=>Module.attune.fillRandom(view)",
    times: 1,
  },
  {
    why: "a shared MessageChannel would tie every request to the first one's I/O context",
    find: 'typeof globalThis.MessageChannel=="function"&&(Q=new MessageChannel,',
    put: "false&&(Q=null,",
    times: 1,
  },
  {
    why: "and a timer would too: what is due at once runs as a microtask",
    find: "else setTimeout(t,0)}a(bo,",
    put: "else queueMicrotask(t)}a(bo,",
    times: 1,
  },
  {
    why: "nor does Emscripten's setImmediate pass messages",
    find: "else if(globalThis.addEventListener){var __setImmediate_id_counter",
    put: "else if(false){var __setImmediate_id_counter",
    times: 1,
  },
  {
    why: "no shared memory for a sleep that a worker may not sleep",
    find: "new Int32Array(new WebAssembly.Memory({shared:!0,initial:1,maximum:1}).buffer)",
    put: "new Int32Array(1)",
    times: 1,
  },
  {
    why: "the worker is not Node, whatever a compatibility flag puts on globalThis",
    find: 'var ENVIRONMENT_IS_NODE=globalThis.process?.versions?.node&&globalThis.process?.type!="renderer";',
    put: "var ENVIRONMENT_IS_NODE=false;",
    times: 1,
  },
  {
    why: "a module's own address is not known in a worker",
    find: "import.meta.url",
    put: '"file:///pyodide.asm.mjs"',
    times: 3,
  },
  { why: "nothing is imported at run time", find: 'import("', put: 'refuseAtRunTime("', times: 13 },
  { why: "nothing is evaluated at run time", find: "eval(", put: "refuseAtRunTime(", times: 6 },
  {
    why: "what is refused says so",
    find: "async function _createPyodideModule(",
    put: 'function refuseAtRunTime(what){throw new Error("not possible in a worker: "+String(what).slice(0,80))}\nasync function _createPyodideModule(',
    times: 1,
  },
];

/** The wasm modules that give JavaScript functions a wasm type, one pass-through per signature. */

/**
 * Every signature that Pyodide 314.0.7 asks for while it starts and loads msgpack: result first, v
 * none, i 32-bit (also pointers), j 64-bit, f and d floats. An unknown one fails at boot by name.
 */
export const SIGNATURES = (
  "i v ii vf vi iii vff vfi vif vii iiij vfff viff viif viii viij vffff vifff viifi viiii viffff " +
  "viiiii viiiiii viiiiiii viiiiiiii viiiiiiiii viiiiiiiiii viiiiiiiiiii"
).split(" ");

const TYPES = { i: 0x7f, j: 0x7e, f: 0x7d, d: 0x7c };

/** Return the bytes of a module that imports `e.<signature>` and exports it again, for each one. */
export function adapterModule(signatures = SIGNATURES) {
  const types = signatures.map((signature) => {
    const [result, ...parameters] = [...signature];
    const results = result === "v" ? [] : [TYPES[result]];
    return [0x60, ...counted(parameters.map((letter) => TYPES[letter])), ...counted(results)];
  });
  const imports = signatures.map((name, index) => [...text("e"), ...text(name), 0, ...leb(index)]);
  const exports = signatures.map((name, index) => [...text(name), 0, ...leb(index)]);
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, types),
    ...section(2, imports),
    ...section(7, exports),
  ]);
}

const section = (id, entries) => [id, ...counted([...leb(entries.length), ...entries.flat()])];
const counted = (bytes) => [...leb(bytes.length), ...bytes];
const text = (value) => counted([...new TextEncoder().encode(value)]);

/** Return an unsigned integer in LEB128. */
function leb(value) {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}

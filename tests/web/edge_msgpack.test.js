// msgpack between the edge's two languages: what is packed comes back, and nonsense is refused.

import assert from "node:assert/strict";
import { test } from "node:test";

import { pack, unpack } from "../../wasm/msgpack.js";

const VALUES = [
  null,
  true,
  false,
  ...[0, 1, 127, 128, 255, 65_536, -1, -32, -33, 2 ** 31, -(2 ** 31), 2 ** 53 - 1, -(2 ** 53) + 1],
  ...[0.5, -0.25, 1e308, 5e-324],
  ...["", "a", "é😀", "x".repeat(31), "x".repeat(32), "x".repeat(256), "x".repeat(70_000)],
  ...[0, 1, 255, 256, 70_000].map((length) => new Uint8Array(length).fill(7)),
  ...[0, 15, 16, 70_000].map((length) => Array.from({ length }, (_, index) => index % 200)),
  { a: [1, { b: null }], "": "empty name" },
  Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`name-${index}`, index])),
];

test("every value of the wire contract comes back as it went", () => {
  for (const value of VALUES) assert.deepEqual(unpack(pack(value)), value);
  assert.deepEqual(unpack(pack(VALUES)), VALUES);
});

test("what JSON cannot say is left out or kept a float", () => {
  assert.deepEqual(unpack(pack({ kept: 1, gone: undefined })), { kept: 1 });
  assert.ok(Object.is(unpack(pack(-0)), -0));
  assert.equal(unpack(pack(2 ** 60)), 2 ** 60);
});

test("a name that means something to JavaScript is a name like any other", () => {
  const hostile = JSON.parse('{"__proto__": {"polluted": true}}');
  assert.deepEqual(unpack(pack(hostile)), hostile);
  assert.equal({}.polluted, undefined);
});

test("nesting without end is refused", () => {
  let value = 1;
  for (let depth = 0; depth < 33; depth += 1) value = [value];
  assert.throws(() => pack(value), RangeError);
});

test("an unknown tag is refused", () => {
  assert.throws(() => unpack(Uint8Array.of(0xc1)), /unknown tag/);
});

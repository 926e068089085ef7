/**
 * A KV namespace for plain workerd, which brings none of its own: values in the files of a disk
 * service, so that they outlive the process.
 *
 * workerd asks a service: GET, PUT (with `expiration_ttl`) and DELETE of `/key`. A disk service can
 * neither list nor delete, so there is a fixed number of files, each with one line of JSON before
 * its value; of two keys that share a file the later one wins. It is a cache: what is gone is fetched.
 */

/** Of some 15 KB each: at most some 120 MB of disk for candidate bundles. */
const FILES = 8_192;

/** What a bundle of 500 candidates comes nowhere near. */
const VALUE_BYTES_MAX = 256 * 1024;

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const key = decodeURIComponent(pathname.slice(1));
    const file = `http://disk/${numberOf(key)}`;
    if (request.method === "GET") return value(env, file, key);
    if (request.method === "DELETE") return put(env, file, new Uint8Array(0));
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (bytes.length > VALUE_BYTES_MAX) return new Response(null, { status: 413 });
    const ttlMs = 1000 * Number(searchParams.get("expiration_ttl") ?? Infinity);
    return put(env, file, entry({ key, expires_ms: Date.now() + ttlMs }, bytes));
  },
};

async function value(env, file, key) {
  const found = await env.DISK.fetch(file);
  const bytes = new Uint8Array(await found.arrayBuffer());
  const end = found.ok ? bytes.indexOf(10) : -1;
  if (end < 0) return new Response(null, { status: 404 });
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)));
  // Infinity became null: such a value never expires.
  const isOver = head.expires_ms !== null && head.expires_ms <= Date.now();
  if (head.key !== key || isOver) return new Response(null, { status: 404 });
  return new Response(bytes.subarray(end + 1));
}

async function put(env, file, body) {
  const written = await env.DISK.fetch(file, { method: "PUT", body });
  return new Response(null, { status: written.ok ? 200 : 507 });
}

function entry(head, bytes) {
  const line = new TextEncoder().encode(`${JSON.stringify(head)}\n`);
  const whole = new Uint8Array(line.length + bytes.length);
  whole.set(line);
  whole.set(bytes, line.length);
  return whole;
}

/** FNV-1a: evenly spread, and the same after a restart. */
function numberOf(key) {
  let hash = 0x811c9dc5;
  for (let at = 0; at < key.length; at += 1)
    hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193) >>> 0;
  return hash % FILES;
}

/** Candidate bundles outside of the isolate: the PoP's Cache API, and KV where a namespace is bound. */

/** KV takes one write a second for a key, and each costs: a bundle goes there once in a while. */
const KV_PAUSE_MS = 60_000;
const KV_KEYS_MAX = 2_048;
const KV_TTL_MIN_S = 60;

/** When bundles were last written to KV, by address, the oldest first. */
const written = new Map();

/** Bundles are personal: their address is a hash that nobody can ask for from outside. */
async function address(key) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

const url = (hash) => `https://bundles.attune.invalid/${hash}`;

/** Return {bytes, source} of the bundle, null where nothing holds it. */
export async function readBundle(env, key) {
  const hash = await address(key);
  const near = await fromCache(hash);
  if (near !== null) return { bytes: near, source: "cache" };
  const far = await fromKv(env, hash);
  return far === null ? null : { bytes: far, source: "kv" };
}

async function fromCache(hash) {
  try {
    const found = await caches.default.match(url(hash));
    return found === undefined ? null : new Uint8Array(await found.arrayBuffer());
  } catch {
    return null;
  }
}

async function fromKv(env, hash) {
  if (env.BUNDLES === undefined) return null;
  try {
    const found = await env.BUNDLES.get(hash, "arrayBuffer");
    return found === null ? null : new Uint8Array(found);
  } catch {
    return null;
  }
}

/** Keep the bundle's bytes for `keepMs`. Without a store every isolate fetches for itself. */
export async function writeBundle(env, key, bytes, keepMs) {
  const hash = await address(key);
  const seconds = Math.ceil(keepMs / 1000);
  const headers = { "Cache-Control": `max-age=${seconds}` };
  await Promise.allSettled([
    caches.default.put(url(hash), new Response(bytes, { headers })),
    toKv(env, hash, bytes, seconds),
  ]);
}

async function toKv(env, hash, bytes, seconds) {
  const now = Date.now();
  if (env.BUNDLES === undefined || now - (written.get(hash) ?? 0) < KV_PAUSE_MS) return;
  written.delete(hash);
  written.set(hash, now);
  if (written.size > KV_KEYS_MAX) written.delete(written.keys().next().value);
  await env.BUNDLES.put(hash, bytes, { expirationTtl: Math.max(seconds, KV_TTL_MIN_S) });
}

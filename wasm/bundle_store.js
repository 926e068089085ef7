/** Candidate bundles in the Cache API: what this PoP keeps longer than an isolate lives. */

/** Bundles are personal: their address in the cache is a hash that nobody can ask for from outside. */
async function address(key) {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
  const hex = [...new Uint8Array(digest)]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
  return `https://bundles.attune.invalid/${hex}`;
}

/** Return the bundle's bytes, null where the cache has none or there is no cache. */
export async function readBundle(key) {
  try {
    const found = await caches.default.match(await address(key));
    return found === undefined ? null : new Uint8Array(await found.arrayBuffer());
  } catch {
    return null;
  }
}

/** Keep the bundle's bytes for `keepMs`. */
export async function writeBundle(key, bytes, keepMs) {
  try {
    const headers = { "Cache-Control": `max-age=${Math.ceil(keepMs / 1000)}` };
    await caches.default.put(await address(key), new Response(bytes, { headers }));
  } catch {
    // Without a cache every isolate fetches for itself.
  }
}

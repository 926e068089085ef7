/** GET /v1/media/...: pictures and clips that the origin draws, kept at this PoP. */

/** Return the picture from the cache, else from the origin. */
export async function media(request, env, context) {
  const url = new URL(request.url);
  const kept = await fromCache(request.url);
  if (kept !== null) return inert(kept);
  const answer = await fetch(env.ORIGIN_URL + url.pathname).catch(() => null);
  if (answer === null) return new Response(null, { status: 503, headers: { "Retry-After": "2" } });
  const cacheable = answer.ok && /max-age=[1-9]/.test(answer.headers.get("Cache-Control") ?? "");
  if (cacheable) context.waitUntil(toCache(request.url, answer.clone()));
  return inert(answer);
}

/** A picture is never a page: whatever stands in it, nothing of it runs. */
function inert(answer) {
  const safe = new Response(answer.body, answer);
  safe.headers.set("X-Content-Type-Options", "nosniff");
  safe.headers.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox");
  return safe;
}

async function fromCache(address) {
  try {
    return (await caches.default.match(address)) ?? null;
  } catch {
    return null;
  }
}

async function toCache(address, answer) {
  try {
    await caches.default.put(address, answer);
  } catch {
    await answer.body?.cancel();
  }
}

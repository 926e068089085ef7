/** Which pages of other origins may ask: the list ATTUNE_ALLOWED_ORIGINS, enforced on every request. */

import { Refusal } from "./http.js";

const EXPOSED = "Server-Timing, Retry-After";
const HEADERS = "Authorization, Content-Type, X-Retry-Count, AnonymousId";

/**
 * Return the headers that let the page which asks read the answer.
 *
 * A page of a listed origin may also send the visitor's cookie. With `isForAll` (the tracking API,
 * whose senders have a write key) any page may ask, without cookies; else one that is neither
 * listed nor on the edge's own host is refused.
 */
export function grants(request, env, isForAll) {
  const origin = request.headers.get("Origin");
  if (origin === null || isOwn(request, origin)) return {};
  const listed = allowed(env);
  if (listed.includes(origin)) {
    return {
      "Access-Control-Allow-Origin": origin,
      "Access-Control-Allow-Credentials": "true",
      "Access-Control-Expose-Headers": EXPOSED,
      Vary: "Origin",
    };
  }
  if (isForAll || listed.includes("*")) {
    return { "Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": EXPOSED };
  }
  throw new Refusal(403, "Origin", "is not on this edge's list (ATTUNE_ALLOWED_ORIGINS)");
}

/** Whether the page may send the visitor's cookie along. */
export function allowsCookies(request, env) {
  const origin = request.headers.get("Origin");
  return origin === null || isOwn(request, origin) || allowed(env).includes(origin);
}

/** Return `response` with more headers. */
export function granted(response, headers) {
  const open = new Response(response.body, response);
  for (const [name, value] of Object.entries(headers)) open.headers.set(name, value);
  return open;
}

/** Answer a preflight. */
export function preflight(methods, headers) {
  return new Response(null, {
    status: 204,
    headers: {
      ...headers,
      "Access-Control-Allow-Methods": methods.join(", "),
      "Access-Control-Allow-Headers": HEADERS,
      "Access-Control-Max-Age": "7200",
    },
  });
}

/** Hosts are compared, not schemes: a proxy in front may speak https for us. */
function isOwn(request, origin) {
  return URL.parse(origin)?.host === new URL(request.url).host;
}

function allowed(env) {
  return (env.ATTUNE_ALLOWED_ORIGINS ?? "").split(",").map((entry) => entry.trim());
}

/** The edge worker's front door: which path goes where. */

import { granted, grants, preflight } from "./cors.js";
import { takeEvents } from "./events.js";
import { Refusal, json } from "./http.js";
import { boots, isStarted, python } from "./interpreter.js";
import { media } from "./media.js";
import { recommend } from "./recommendations.js";
import { loadedBehind } from "./scoring.js";
import { isSettingsPath, projectSettings, trackingPaths } from "./segment.js";
import { page } from "./site.js";

/** A path's methods. The tracking API's senders have a write key, so any page may use it. */
const ROUTES = {
  "/v1/recommendations": { methods: { POST: recommend } },
  "/v1/events": { methods: { POST: takeEvents } },
  "/v1/identity": { methods: { DELETE: forgetVisitor } },
  "/v1/edge/status": { methods: { GET: status } },
  "/healthz": { methods: { GET: healthy } },
};
for (const [path, take] of Object.entries(trackingPaths()))
  ROUTES[path] = { methods: { POST: take }, isForAll: true };

const SETTINGS = { methods: { GET: projectSettings }, isForAll: true };

export default {
  async fetch(request, env, context) {
    try {
      const { pathname } = new URL(request.url);
      const route = isSettingsPath(pathname) ? SETTINGS : ROUTES[pathname];
      if (route !== undefined) return await api(route, request, env, context);
      if (pathname.startsWith("/v1/media/"))
        return await readOnly(request, () => media(request, env, context));
      if (pathname.startsWith("/v1/")) throw nothingHere();
      return await readOnly(request, () => page(request, env));
    } catch (error) {
      return failed(error);
    }
  },
};

async function api({ methods, isForAll }, request, env, context) {
  const headers = grants(request, env, isForAll);
  const names = Object.keys(methods);
  if (request.method === "OPTIONS") return preflight(names, headers);
  const handle = methods[request.method];
  try {
    if (handle === undefined) throw notAllowed(request.method, names);
    return granted(await handle(request, env, context), headers);
  } catch (error) {
    return granted(failed(error), headers);
  }
}

async function readOnly(request, answer) {
  if (!["GET", "HEAD"].includes(request.method)) throw notAllowed(request.method, ["GET", "HEAD"]);
  const found = await answer();
  if (found === null) throw nothingHere();
  return found;
}

const nothingHere = () => new Refusal(404, "", "there is nothing at this address");

const notAllowed = (method, methods) =>
  new Refusal(405, "", `${method} is not allowed here`, { Allow: methods.join(", ") });

/** The one place where a defect ends up that no stage answered for: logged, never shown. */
function failed(error) {
  if (error instanceof Refusal) return error.response();
  console.error("a request failed:", error.stack ?? error);
  return new Refusal(500, "", "an internal error, which has been logged").response();
}

/** Take the visitor's cookie away, which no script of the page can. */
function forgetVisitor() {
  const cookie = "attune_id=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax";
  return new Response(null, { status: 204, headers: { "Set-Cookie": cookie } });
}

/** Answer that the worker lives, and start behind the answer what the first slate would wait for. */
function healthy(request, env, context) {
  context.waitUntil(Promise.allSettled([python(), loadedBehind(env)]));
  return json(200, '{"status":"ok"}');
}

/** Counters of this isolate. */
async function status() {
  if (!isStarted()) return json(200, JSON.stringify({ boots }));
  const report = JSON.parse(new TextDecoder().decode((await python()).status()));
  return json(200, JSON.stringify({ boots, ...report }));
}

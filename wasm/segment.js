/** The Segment HTTP tracking API: its paths, and the settings with which its browser library starts. */

import { allowsCookies } from "./cors.js";
import { forwarded } from "./events.js";
import { isHttps, json, jsonBody } from "./http.js";
import { python } from "./interpreter.js";
import { unpack } from "./msgpack.js";
import { packedArrival } from "./recommendations.js";

/** Paths by the calls' names, and by the first letters that the browser library uses. */
const KINDS = ["track", "identify", "page", "screen", "group", "alias", "batch"];

/** The specification's limit for a batch from a server. */
const BATCH_BYTES_MAX = 500 * 1024;

/** Return {path: take} for every call of the API. */
export function trackingPaths() {
  return Object.fromEntries(
    KINDS.flatMap((kind) => [
      [`/v1/${kind}`, taking(kind)],
      [`/v1/${kind[0]}`, taking(kind)],
    ]),
  );
}

function taking(kind) {
  return async (request, env, context) => {
    const body = await jsonBody(request, kind === "batch" ? BATCH_BYTES_MAX : undefined);
    const arrival = packedArrival(request, body, env);
    const entry = await python();
    return forwarded(entry, unpack(entry.begin_messages(arrival, kind)), env, context);
  };
}

const SETTINGS = /^\/v1\/projects\/([\w.~-]{1,128})\/settings$/;

/** Whether a path asks for the browser library's settings. */
export const isSettingsPath = (pathname) => SETTINGS.test(pathname);

/** GET /v1/projects/WRITE_KEY/settings: send everything here, and load nothing else. */
export async function projectSettings(request, env) {
  const url = new URL(request.url);
  const everything = { __default: { enabled: true, integrations: {} } };
  const segment = {
    apiKey: SETTINGS.exec(url.pathname)[1],
    apiHost: `${url.host}/v1`,
    protocol: isHttps(request) ? "https" : "http",
    unbundledIntegrations: [],
    maybeBundledConfigIds: {},
    addBundledMetadata: true,
  };
  // A page that may send our cookie does: then its events and its slates are one visitor's.
  if (allowsCookies(request, env)) {
    segment.deliveryStrategy = { config: { credentials: "include" } };
  }
  const settings = {
    integrations: { "Segment.io": segment },
    plan: { track: everything, identify: everything, group: everything },
    edgeFunction: {},
    analyticsNextEnabled: true,
    middlewareSettings: {},
    enabledMiddleware: {},
    metrics: { sampleRate: 0 },
    legacyVideoPluginsEnabled: false,
    remotePlugins: [],
  };
  return json(200, JSON.stringify(settings));
}

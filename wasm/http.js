/** HTTP as the edge speaks it: bodies with a limit, JSON answers, errors that name the field. */

/** A batch of 50 events is some 20 KB; more than this is not a browser's. */
export const BODY_BYTES_MAX = 64 * 1024;

/** A request that is refused: the sender's fault. */
export class Refusal extends Error {
  constructor(status, field, problem, headers = {}) {
    super(problem);
    this.status = status;
    this.field = field;
    this.headers = headers;
  }

  response() {
    const body = { error: { field: this.field, problem: this.message } };
    return json(this.status, JSON.stringify(body), this.headers);
  }
}

/** Return an answer with a JSON body, given as text or bytes. */
export function json(status, body, headers = {}) {
  return new Response(body, {
    status,
    headers: {
      "Content-Type": "application/json; charset=utf-8",
      "Cache-Control": "no-store",
      "X-Content-Type-Options": "nosniff",
      ...headers,
    },
  });
}

/** Return the request's JSON body; the content type is not asked, because beacons send text. */
export async function jsonBody(request, bytesMax = BODY_BYTES_MAX) {
  const bytes = await limitedBody(request, bytesMax);
  if (bytes.byteLength === 0) throw new Refusal(400, "", "the body is empty, JSON is expected");
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new Refusal(400, "", `the body is not JSON: ${error.message}`);
  }
}

async function limitedBody(request, bytesMax) {
  const stated = Number(request.headers.get("Content-Length") ?? 0);
  if (stated > bytesMax) throw tooLarge(bytesMax);
  const chunks = [];
  let total = 0;
  for await (const chunk of request.body ?? []) {
    total += chunk.byteLength;
    if (total > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

const tooLarge = (bytes) => new Refusal(413, "", `the body is larger than ${bytes} bytes`);

/** Longer than any credential of ours; what is cut off here proves nothing anyway. */
const CREDENTIAL_CHARACTERS_MAX = 4096;

/** Random bytes of which Python makes a new visitor's id. */
const ID_BYTES = 16;

/** Return what a request brings to prove who it acts for, and the address that it came from. */
export function credentials(request, env) {
  const authorization = (request.headers.get("Authorization") ?? "").slice(
    0,
    CREDENTIAL_CHARACTERS_MAX,
  );
  const cookie = /(?:^|;\s*)attune_id=([^;]*)/.exec(request.headers.get("Cookie") ?? "")?.[1] ?? "";
  return {
    client: request.headers.get(env.ATTUNE_CLIENT_ADDRESS_HEADER || "CF-Connecting-IP")?.slice(0, 64),
    identity: {
      authorization,
      cookie: cookie.slice(0, CREDENTIAL_CHARACTERS_MAX),
      is_https: isHttps(request),
      random_bytes: crypto.getRandomValues(new Uint8Array(ID_BYTES)),
    },
  };
}

/** Whether the browser asked over TLS, here or at a proxy in front. */
export function isHttps(request) {
  return request.url.startsWith("https:") || request.headers.get("X-Forwarded-Proto") === "https";
}

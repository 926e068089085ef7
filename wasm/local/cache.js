/**
 * A memory behind the Cache API for plain workerd, which brings none of its own.
 *
 * workerd asks a service: GET for `match` (the answer's CF-Cache-Status says HIT or MISS), PUT for
 * `put` (the body is the whole HTTP response), PURGE for `delete`. Entries live for their max-age,
 * the least recently used go first.
 */

/** Some 2,500 candidate bundles. */
const BYTES_MAX = 64 * 1024 * 1024;
const AGE_MAX_S = 7 * 86_400;

/** {bytes, bodyStart, headers, expiresMs} by address, least recently used first. */
const entries = new Map();
let bytesHeld = 0;

export default {
  async fetch(request) {
    if (request.method === "PUT")
      return put(request.url, new Uint8Array(await request.arrayBuffer()));
    if (request.method === "PURGE")
      return new Response(null, { status: forget(request.url) ? 200 : 404 });
    return match(request.url);
  },
};

function match(address) {
  const entry = entries.get(address);
  if (entry === undefined || entry.expiresMs <= Date.now()) {
    forget(address);
    return new Response(null, { status: 504, headers: { "CF-Cache-Status": "MISS" } });
  }
  entries.delete(address);
  entries.set(address, entry);
  const headers = new Headers(entry.headers);
  headers.set("CF-Cache-Status", "HIT");
  return new Response(entry.bytes.subarray(entry.bodyStart), { headers });
}

function put(address, bytes) {
  const bodyStart = endOfHead(bytes);
  const [status, ...lines] = new TextDecoder()
    .decode(bytes.subarray(0, bodyStart))
    .trim()
    .split("\r\n");
  const headers = lines.map((line) => [
    line.slice(0, line.indexOf(":")),
    line.slice(line.indexOf(":") + 1).trim(),
  ]);
  const age = Math.min(maxAge(headers), AGE_MAX_S);
  forget(address);
  if (age === 0 || !status.includes(" 200 ") || bytes.length > BYTES_MAX)
    return new Response(null, { status: 204 });
  entries.set(address, { bytes, bodyStart, headers, expiresMs: Date.now() + 1000 * age });
  bytesHeld += bytes.length;
  for (const oldest of entries.keys()) {
    if (bytesHeld <= BYTES_MAX) break;
    forget(oldest);
  }
  return new Response(null, { status: 204 });
}

function forget(address) {
  const entry = entries.get(address);
  if (entry !== undefined) bytesHeld -= entry.bytes.length;
  return entries.delete(address);
}

function maxAge(headers) {
  const control = headers.find(([name]) => name.toLowerCase() === "cache-control")?.[1] ?? "";
  return Number(/max-age=(\d+)/.exec(control)?.[1] ?? 0);
}

/** Where the body starts: behind the first empty line. */
function endOfHead(bytes) {
  for (let at = 3; at < bytes.length; at += 1) {
    if (bytes[at] === 10 && bytes[at - 1] === 13 && bytes[at - 2] === 10 && bytes[at - 3] === 13)
      return at + 1;
  }
  return bytes.length;
}

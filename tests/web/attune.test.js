// The SDK against a real HTTP server; the browser's storages are stood in for by maps.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { AttuneError, createAttune, readServerTiming } from "../../web/sdk/attune.js";

class MapStorage {
  #values = new Map();
  getItem = (key) => this.#values.get(key) ?? null;
  setItem = (key, value) => void this.#values.set(key, String(value));
  removeItem = (key) => void this.#values.delete(key);
  get keys() {
    return [...this.#values.keys()].sort();
  }
}

let server;
let endpoint;
let asked; // Every request that arrived: { path, body }.
let answers; // What the server says next, by path: functions of the response.
const clients = [];

function client(options = {}) {
  const made = createAttune({ endpoint, consent: "full", ...options });
  clients.push(made);
  return made;
}

function answer(response, status, body = {}, headers = {}) {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

const slate = {
  schema: 1,
  slate_id: "s1",
  surface: "home",
  items: [0, 1].map((position) => ({ item_id: `i${position}`, position, propensity: 0.5 })),
  versions: { bundle: "b", policy: 7, model: "m" },
};

before(async () => {
  server = createServer((request, response) => {
    let text = "";
    request.on("data", (part) => (text += part));
    request.on("end", () => {
      const { authorization } = request.headers;
      asked.push({ path: request.url, body: text ? JSON.parse(text) : null, authorization });
      const next = answers[request.url]?.shift();
      if (next) next(response);
      else if (request.method === "DELETE") response.writeHead(204).end();
      else if (request.url === "/v1/recommendations") {
        answer(response, 200, slate, { "Server-Timing": 'cache;desc="hit", score;dur=1.5' });
      } else answer(response, 202, { accepted: JSON.parse(text).events.length });
    });
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  endpoint = `http://127.0.0.1:${server.address().port}`;
});

beforeEach(() => {
  globalThis.localStorage = new MapStorage();
  globalThis.sessionStorage = new MapStorage();
  asked = [];
  answers = { "/v1/events": [], "/v1/recommendations": [] };
});

afterEach(() => clients.splice(0).forEach((made) => made.close()));

after(() => {
  server.closeAllConnections();
  server.close();
});

const events = () =>
  asked.filter(({ path }) => path === "/v1/events").flatMap(({ body }) => body.events);
const once = (target, type) =>
  new Promise((done) => target.addEventListener(type, done, { once: true }));

test("without consent nothing is stored and no id is sent twice", async () => {
  const attune = client({ consent: undefined });
  assert.equal(attune.consent, "none");
  assert.equal(attune.track("click", "i1"), null);
  await attune.recommendations();
  await attune.recommendations();
  const [first, second] = asked.map(({ body }) => body);
  assert.equal("user_id" in first, false);
  assert.deepEqual(first.recent, []);
  assert.notEqual(first.session_id, second.session_id);
  assert.deepEqual([...localStorage.keys, ...sessionStorage.keys], []);
});

test("with full consent a session is kept between pages, and the user's id by the edge alone", async () => {
  const first = client();
  const session = first.sessionId;
  const second = client({ consent: undefined });
  assert.equal(second.consent, "full");
  assert.equal(second.sessionId, session);
  await second.recommendations();
  assert.equal("user_id" in asked.at(-1).body, false);
  assert.deepEqual(localStorage.keys, ["attune.consent", "attune.session"]);
});

test("cohort consent keeps a session in the tab and no user", async () => {
  const attune = client({ consent: "cohort" });
  attune.track("click", "i1");
  await attune.flush();
  assert.equal("user_id" in events()[0], false);
  assert.deepEqual(localStorage.keys, ["attune.consent"]);
  assert.deepEqual(sessionStorage.keys, ["attune.queue", "attune.recent", "attune.session"]);
});

test("global privacy control caps full consent at cohort", () => {
  Object.defineProperty(globalThis, "navigator", {
    value: { globalPrivacyControl: true },
    configurable: true,
  });
  try {
    const attune = client();
    assert.equal(attune.consent, "cohort");
  } finally {
    delete globalThis.navigator;
  }
});

test("withdrawing consent erases the device and the unsent events", async () => {
  const attune = client();
  answers["/v1/events"].push((response) => answer(response, 503));
  attune.track("click", "i1");
  await attune.flush();
  assert.equal(attune.pending, 1);
  attune.setConsent("none");
  assert.equal(attune.pending, 0);
  assert.deepEqual([...localStorage.keys, ...sessionStorage.keys], []);
});

test("lowering consent to cohort has the cookie deleted and unsent events count for the crowd", async () => {
  const attune = client();
  answers["/v1/events"].push((response) => answer(response, 503));
  attune.track("click", "i1");
  await attune.flush();
  const session = attune.sessionId;
  attune.setConsent("cohort");
  assert.notEqual(attune.sessionId, session);
  assert.equal(attune.recent.length, 1);
  await attune.flush();
  const delivered = events().at(-1);
  assert.equal(delivered.consent, "cohort");
  assert.ok(asked.some(({ path, body }) => path === "/v1/identity" && body === null));
});

test("the first answer under full consent is waited for, because it brings the cookie", async () => {
  let release;
  answers["/v1/recommendations"].push((response) => {
    release = () => answer(response, 200, slate);
  });
  const attune = client();
  const first = attune.recommendations();
  attune.track("click", "i1");
  const flushed = attune.flush();
  await new Promise((passed) => setTimeout(passed, 80));
  assert.deepEqual(asked.map(({ path }) => path), ["/v1/recommendations"]);
  release();
  await Promise.all([first, flushed]);
  assert.equal(events().length, 1);
});

test("a token is sent under full consent alone", async () => {
  const attune = client({ token: async () => "signed" });
  await attune.recommendations();
  assert.equal(asked.at(-1).authorization, "Bearer signed");
  attune.setConsent("cohort");
  await attune.recommendations();
  assert.equal(asked.at(-1).authorization, undefined);
});

test("a page that continues a list says what was on the earlier ones", async () => {
  const attune = client();
  await attune.recommendations({ after: ["i1", "i2"], categories: ["art"] });
  assert.deepEqual(asked.at(-1).body.after, ["i1", "i2"]);
  assert.deepEqual(asked.at(-1).body.categories, ["art"]);
});

test("a session ends after 30 minutes of silence and takes its interactions with it", (context) => {
  context.mock.timers.enable({ apis: ["Date"], now: 1_000_000 });
  const attune = client({ consent: "cohort" });
  const session = attune.sessionId;
  attune.track("view", "i1");
  context.mock.timers.tick(29 * 60_000);
  assert.equal(attune.sessionId, session);
  context.mock.timers.tick(31 * 60_000);
  assert.notEqual(attune.sessionId, session);
  assert.deepEqual(attune.recent, []);
});

test("a request carries the session's last 20 interactions, oldest first", async () => {
  const attune = client();
  for (let index = 0; index < 25; index++) attune.track("view", `i${index}`);
  await attune.recommendations({ surface: "detail", n: 5, exclude: ["i9"], entryCategory: "art" });
  const { body } = asked.find(({ path }) => path === "/v1/recommendations");
  assert.equal(body.recent.length, 20);
  assert.equal(body.recent[0].item_id, "i5");
  assert.equal(body.recent[19].item_id, "i24");
  assert.deepEqual([body.surface, body.n, body.exclude], ["detail", 5, ["i9"]]);
  assert.equal(body.context.entry_category, "art");
});

test("a slate comes with its timings and its items know their slate", async () => {
  const got = await client().recommendations();
  assert.equal(got.items[1].slate_id, "s1");
  assert.deepEqual(got.timings, [
    { name: "cache", duration_ms: 0, description: "hit" },
    { name: "score", duration_ms: 1.5, description: "" },
  ]);
  assert.ok(got.round_trip_ms > 0);
});

test("a slate that does not come in time is a timeout, one given up is aborted", async () => {
  const silent = () => {};
  answers["/v1/recommendations"].push(silent, silent);
  const attune = client({ timeoutMs: 30 });
  await assert.rejects(attune.recommendations(), { name: "AttuneError", kind: "timeout" });
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 10);
  const asked = attune.recommendations({ signal: controller.signal, timeoutMs: 5000 });
  await assert.rejects(asked, { kind: "aborted" });
});

test("a refused request names the status and the field", async () => {
  const error = { error: { field: "n", problem: "must be from 1 to 50" } };
  answers["/v1/recommendations"].push((response) => answer(response, 400, error));
  await assert.rejects(client().recommendations({ n: 0 }), (raised) => {
    assert.ok(raised instanceof AttuneError);
    assert.deepEqual([raised.kind, raised.status], ["http", 400]);
    return raised.message.includes("n must be from 1 to 50");
  });
});

test("an interaction with a slate's item carries slate, position and propensity", async () => {
  const attune = client();
  const { items } = await attune.recommendations();
  const id = attune.track("click", items[1]);
  await attune.flush();
  const { event_id, type, slate_id, position, propensity } = events()[0];
  assert.deepEqual([event_id, type, slate_id, position, propensity], [id, "click", "s1", 1, 0.5]);
});

test("a retry honours Retry-After and repeats the event id", async () => {
  answers["/v1/events"].push((response) => answer(response, 503, {}, { "Retry-After": "1" }));
  const attune = client();
  const started = Date.now();
  const retrying = once(attune, "retry");
  const delivered = once(attune, "delivered");
  attune.track("click", "i1");
  assert.ok((await retrying).detail.wait_ms >= 1000);
  await delivered;
  assert.ok(Date.now() - started >= 950);
  const [first, second] = events();
  assert.equal(first.event_id, second.event_id);
  assert.equal(attune.pending, 0);
});

test("events that were not acknowledged are sent by the next page", async () => {
  answers["/v1/events"].push((response) => response.destroy());
  const first = client();
  const id = first.track("purchase", "i1");
  await first.flush();
  assert.equal(first.pending, 1);
  const second = client();
  await once(second, "delivered");
  assert.equal(events().at(-1).event_id, id);
  assert.equal(second.pending, 0);
});

test("a batch refused for good is given up, not repeated", async () => {
  answers["/v1/events"].push((response) => answer(response, 400));
  const attune = client();
  const dropped = once(attune, "dropped");
  attune.track("click", "i1");
  assert.equal((await dropped).detail.reason, "refused");
  await attune.flush();
  assert.deepEqual([attune.pending, events().length], [0, 1]);
});

test("the queue is bounded and leaves in batches that a beacon could carry", async () => {
  answers["/v1/events"].push((response) => answer(response, 503));
  const attune = client();
  attune.track("view", "first");
  await attune.flush();
  for (let index = 0; index < 505; index++) attune.track("view", `i${index}`);
  assert.equal(attune.pending, 500);
  asked = [];
  await attune.flush();
  assert.equal(events().length, 500);
  for (const { body } of asked) assert.ok(JSON.stringify(body).length < 65_536);
  assert.equal(events()[0].item_id, "i5");
});

test("one impression per slate reports what was visible for half a second", async (context) => {
  let look;
  globalThis.document = { visibilityState: "visible" };
  globalThis.IntersectionObserver = class {
    constructor(callback) {
      look = callback;
    }
    observe() {}
    disconnect() {}
  };
  context.after(() => {
    delete globalThis.IntersectionObserver;
    delete globalThis.document;
  });
  const attune = client();
  const cards = [{ name: "first" }, { name: "second" }];
  const stop = attune.observe(slate, cards);
  look([
    { target: cards[0], intersectionRatio: 1 },
    { target: cards[1], intersectionRatio: 0.4 },
  ]);
  await new Promise((passed) => setTimeout(passed, 550));
  stop();
  stop();
  await attune.flush();
  assert.equal(events().length, 1);
  const [impression] = events();
  assert.deepEqual(impression.items, [{ item_id: "i0", position: 0, propensity: 0.5 }]);
  assert.deepEqual([impression.policy_version, impression.model_version], [7, "m"]);
});

test("an absent Server-Timing header is no timings", () => {
  assert.deepEqual(readServerTiming(null), []);
});

/**
 * attune's browser SDK: asks the edge for slates and tells it what happened to them.
 *
 * What it promises:
 * - **Consent comes first.** `none` (the default) writes nothing to the device and sends no id;
 *   `cohort` keeps a session in this tab and no user id; `full` lets the edge set a first-party
 *   cookie with a pseudonymous id, which no script can read. A browser with Global Privacy Control
 *   on is never above `cohort`.
 * - **The session lives on the device**: its last 20 interactions travel with each request, so the
 *   very next slate knows about the last click.
 * - **Events are neither lost nor counted twice.** One stays queued, in storage where consent
 *   allows it, until the edge has acknowledged it; every retry repeats its `event_id`.
 *
 * No dependencies, no build step. Types and longer descriptions: `attune.d.ts`.
 */

import { Sighting } from "./sighting.js";

const SCHEMA = 1;
const CONSENTS = ["full", "cohort", "none"];
const ACTIONS = ["view", "click", "cart", "purchase", "dismiss"];
const [CONSENT, SESSION, RECENT, QUEUE] = ["consent", "session", "recent", "queue"];
const KEYS = [CONSENT, SESSION, RECENT, QUEUE];

const SESSION_GAP_MS = 30 * 60_000;
const RECENT_MAX = 20; // The contract's limit; older interactions are in the user's embedding.
const EXCLUDE_MAX = 200; // The contract's limit; the same holds for the items of earlier pages.
const QUEUE_MAX = 500; // About 200 KB of local storage, of the 5 MB a site may use.
const BATCH_CHARACTERS_MAX = 20_000; // A beacon carries 64 KiB; a character takes up to 3 bytes.
const FLUSH_AFTER_MS = 1_000; // Impressions wait this long for company, interactions do not wait.
const EVENTS_TIMEOUT_MS = 10_000;
const BACKOFF_MAX_MS = 60_000;

/** A request that got no usable answer; `kind` says why, `status` what HTTP said. */
export class AttuneError extends Error {
  constructor(kind, message, status = 0) {
    super(message);
    this.name = "AttuneError";
    this.kind = kind;
    this.status = status;
  }
}

/** Return a client for one page. */
export function createAttune(options = {}) {
  return new Attune(options);
}

/** One page's connection to attune; dispatches `consent`, `delivered`, `retry` and `dropped`. */
export class Attune extends EventTarget {
  #endpoint;
  #surface;
  #timeoutMs;
  #entryCategory;
  #token;
  #stated;
  #introduction = null; // The first answer under full consent brings the cookie; others wait for it.
  #forgetting = null;
  #page = new Map(); // What the storages may not or cannot hold lives as long as the page.
  #sightings = new Set();
  #beaconed = new Set();
  #sending = null;
  #timer = null;
  #closed = false;
  #failures = 0;
  #resumeAt = 0;
  #listening = new AbortController();

  constructor(options = {}) {
    super();
    const { endpoint = "", surface = "home", timeoutMs = 2000, consent, entryCategory } = options;
    this.#endpoint = endpoint.replace(/\/$/, "");
    this.#surface = surface;
    this.#timeoutMs = timeoutMs;
    this.#entryCategory = entryCategory;
    this.#token = options.token;
    const remembered = parsed(guarded(() => webStorage(CONSENT).getItem(`attune.${CONSENT}`)));
    this.#stated = checkedConsent(CONSENTS.includes(remembered) ? remembered : consent ?? "none");
    if (this.consent === "none") this.#erase(KEYS);
    else this.#set(CONSENT, this.#stated);
    this.#listen();
    if (this.pending) this.#schedule(0);
  }

  /** The consent in force: what was stated, capped at `cohort` by Global Privacy Control. */
  get consent() {
    const capped = this.#stated === "full" && globalThis.navigator?.globalPrivacyControl === true;
    return capped ? "cohort" : this.#stated;
  }

  /** The session id; a new one after 30 minutes without a request or event. */
  get sessionId() {
    return this.#openSession();
  }

  /** The session's last interactions, oldest first, as they travel with a request. */
  get recent() {
    return this.consent === "none" ? [] : this.#get(RECENT) ?? [];
  }

  /** How many events wait for the edge's acknowledgement. */
  get pending() {
    return this.#queue().length;
  }

  /** State what the visitor allows; lowering it erases at once what is no longer allowed. */
  setConsent(consent) {
    if (checkedConsent(consent) === this.#stated) return;
    const recent = this.recent;
    const queue = this.#queue();
    this.#stated = consent;
    this.reset(); // The session id too, or the crowd's events could be joined to the person's.
    if (this.consent !== "none") {
      this.#openSession();
      this.#set(RECENT, recent);
      this.#store(queue.map((event) => ({ ...event, consent: "cohort" })));
    }
    this.#announce("consent", { consent: this.consent, stated: this.#stated });
  }

  /** Become a new visitor: erase identity, session and queue; keep the consent. */
  reset() {
    this.#forgetVisitor();
    this.#forgetPage();
    this.#erase(this.consent === "none" ? KEYS : KEYS.filter((key) => key !== CONSENT));
    if (this.consent !== "none") this.#set(CONSENT, this.#stated);
  }

  /** What the edge is told about this page view: device class, local hour, entry category. */
  context(entryCategory = this.#entryCategory) {
    const context = { device: deviceClass(), local_hour: new Date().getHours() };
    return entryCategory ? { ...context, entry_category: entryCategory } : context;
  }

  /** Ask for a slate; rejects with an AttuneError when none came in time. */
  async recommendations(options = {}) {
    const { surface = this.#surface, n = 12, exclude = [], entryCategory, signal } = options;
    const { after = [], categories = [] } = options;
    const session = this.#openSession();
    const started = performance.now();
    const response = await this.#post(
      "/v1/recommendations",
      {
        schema: SCHEMA,
        ...this.#who(session),
        surface,
        n,
        context: this.context(entryCategory),
        recent: this.recent,
        exclude: exclude.slice(-EXCLUDE_MAX),
        ...(after.length ? { after: after.slice(-EXCLUDE_MAX) } : {}),
        ...(categories.length ? { categories } : {}),
      },
      options.timeoutMs ?? this.#timeoutMs,
      signal,
    );
    const slate = response.body;
    if (!response.ok || !Array.isArray(slate?.items)) {
      const problem = slate?.error?.problem ?? "no slate in the answer";
      throw new AttuneError("http", `${slate?.error?.field ?? ""} ${problem}`, response.status);
    }
    return {
      ...UNKNOWN,
      ...slate,
      items: slate.items.map((item) => ({ ...item, slate_id: slate.slate_id, surface })),
      round_trip_ms: performance.now() - started,
      timings: readServerTiming(response.headers.get("Server-Timing")),
    };
  }

  /** Report, once, which items of a slate were seen; returns a function that ends the watch. */
  observe(slate, elements) {
    const sighting = new Sighting(slate, [...elements], (items) => {
      this.#sightings.delete(sighting);
      this.#record("impression", {
        slate_id: slate.slate_id,
        surface: slate.surface ?? this.#surface,
        items: items.map(shownItem),
        policy_version: slate.versions?.policy ?? 0,
        model_version: slate.versions?.model || "none",
      });
    });
    this.#sightings.add(sighting);
    return () => {
      sighting.end();
      sighting.cancel();
      this.#sightings.delete(sighting);
    };
  }

  /** Tell what the visitor did with an item; returns the event id, or null without consent. */
  track(action, item, { surface } = {}) {
    if (!ACTIONS.includes(action)) throw new TypeError(`action must be one of ${ACTIONS}`);
    if (this.consent === "none") return null;
    const shown = typeof item === "string" ? { item_id: item } : item;
    const { item_id, slate_id, position, propensity } = shown;
    for (const sighting of this.#sightings) {
      if (sighting.slateId === slate_id) sighting.see(item_id); // No click without a look.
    }
    const event = this.#record(action, {
      item_id,
      surface: surface ?? shown.surface ?? this.#surface,
      ...(slate_id ? { slate_id, position, propensity } : {}),
    });
    const entry = { item_id, action, occurred_at_ms: event.occurred_at_ms };
    this.#set(RECENT, [...this.recent, entry].slice(-RECENT_MAX));
    this.#schedule(0);
    return event.event_id;
  }

  /** Send what is queued now; resolves when the queue is empty or the next retry is scheduled. */
  flush() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = null;
      if (this.pending && this.#timer === null) this.#schedule(FLUSH_AFTER_MS);
    });
    return this.#sending;
  }

  /** End all watches, hand what is queued to the browser, stop listening. */
  close() {
    this.#leave();
    this.#listening.abort();
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** Return the session's id, having noted that the session is alive now. */
  #openSession() {
    // Without consent nothing may tie two requests together: every one is a session of its own.
    if (this.consent === "none") return randomId();
    const now = Date.now();
    const kept = this.#get(SESSION);
    const alive = kept && now - kept.last_ms < SESSION_GAP_MS;
    if (!alive) this.#set(RECENT, []);
    const session = { id: alive ? kept.id : randomId(), last_ms: now };
    this.#set(SESSION, session);
    return session.id;
  }

  #who(sessionId) {
    return { consent: this.consent, session_id: sessionId };
  }

  /** The cookie is out of reach of scripts: only the edge can take it away. */
  #forgetVisitor() {
    this.#introduction = null;
    const options = { method: "DELETE", credentials: "include", keepalive: true };
    const forgotten = fetch(`${this.#endpoint}/v1/identity`, options).catch(() => {});
    this.#forgetting = forgotten;
  }

  #record(type, fields) {
    if (this.consent === "none") return null;
    const event = {
      schema: SCHEMA,
      type,
      event_id: randomId(),
      ...this.#who(this.#openSession()),
      occurred_at_ms: Date.now(),
      context: this.context(),
      ...fields,
    };
    const queue = [...this.#queue(), event];
    if (queue.length > QUEUE_MAX) this.#announce("dropped", { reason: "full", count: 1 });
    this.#store(queue.slice(-QUEUE_MAX));
    this.#schedule(FLUSH_AFTER_MS);
    return event;
  }

  #schedule(delayMs) {
    if (this.#closed || this.#sending) return;
    clearTimeout(this.#timer);
    const wait = Math.max(delayMs, this.#resumeAt - Date.now());
    this.#timer = setTimeout(() => this.flush(), wait);
  }

  async #drain() {
    for (let batch = head(this.#queue()); batch.length; batch = head(this.#queue())) {
      if (!(await this.#deliver(batch))) return;
    }
  }

  #settle(events) {
    const settled = new Set(events.map((event) => event.event_id));
    this.#store(this.#queue().filter((event) => !settled.has(event.event_id)));
    for (const id of settled) this.#beaconed.delete(id);
  }

  async #deliver(events) {
    try {
      const batch = { schema: SCHEMA, events };
      const response = await this.#post("/v1/events", batch, EVENTS_TIMEOUT_MS);
      if (response.ok) {
        this.#failures = 0;
        this.#settle(events);
        this.#announce("delivered", { events, answer: response.body });
        return true;
      }
      if (response.status < 500 && ![408, 425, 429].includes(response.status)) {
        this.#settle(events);
        const { status } = response;
        this.#announce("dropped", { reason: "refused", count: events.length, status });
        return true;
      }
      this.#backOff(retryAfterMs(response.headers.get("Retry-After")));
    } catch {
      this.#backOff(0);
    }
    return false;
  }

  #backOff(askedMs) {
    const ceiling = Math.min(BACKOFF_MAX_MS, 1000 * 2 ** this.#failures++);
    const wait = Math.max(askedMs, ceiling * (0.5 + Math.random() / 2));
    this.#resumeAt = Date.now() + wait;
    this.#announce("retry", { wait_ms: wait, failures: this.#failures });
    if (!this.#closed) this.#timer = setTimeout(() => this.flush(), wait);
  }

  /** The page goes: a beacon outlives it but hears no answer, so the events stay queued too. */
  #leave() {
    for (const sighting of [...this.#sightings]) sighting.end();
    let events = this.#queue().filter((event) => !this.#beaconed.has(event.event_id));
    while (events.length) {
      const part = head(events);
      if (!this.#beacon(part)) return;
      for (const event of part) this.#beaconed.add(event.event_id);
      events = events.slice(part.length);
    }
  }

  #beacon(events) {
    const url = `${this.#endpoint}/v1/events`;
    const body = JSON.stringify({ schema: SCHEMA, events });
    const blob = new Blob([body], { type: "application/json" });
    // A beacon carries the cookie and no header, so no token.
    if (!this.#token && guarded(() => navigator.sendBeacon(url, blob))) return true;
    this.#request(body).then((init) => fetch(url, { ...init, keepalive: true })).catch(() => {});
    return false;
  }

  async #request(body) {
    const token = typeof this.#token === "function" ? await this.#token() : this.#token;
    const headers = { "Content-Type": "application/json" };
    if (token && this.consent === "full") headers.Authorization = `Bearer ${token}`;
    return { method: "POST", credentials: "include", headers, body };
  }

  async #post(path, body, timeoutMs, signal) {
    await this.#forgetting;
    if (this.consent !== "full") return this.#answered(path, body, timeoutMs, signal);
    if (this.#introduction) await this.#introduction;
    const answer = this.#answered(path, body, timeoutMs, signal);
    this.#introduction ??= answer.then(
      () => {},
      () => (this.#introduction = null),
    );
    return answer;
  }

  async #answered(path, body, timeoutMs, signal) {
    const controller = new AbortController();
    let kind = "network";
    const stop = (why) => {
      kind = why;
      controller.abort();
    };
    const timer = setTimeout(stop, timeoutMs, "timeout");
    const abort = () => stop("aborted");
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
    try {
      const init = await this.#request(JSON.stringify(body));
      const response = await fetch(this.#endpoint + path, { ...init, signal: controller.signal });
      const { ok, status, headers } = response;
      return { ok, status, headers, body: parsed(await response.text()) };
    } catch (error) {
      throw new AttuneError(kind, `${path}: ${kind === "network" ? error.message : kind}`);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }

  #listen() {
    const options = { signal: this.#listening.signal };
    const on = (target, type, act) => target?.addEventListener?.(type, act, options);
    on(globalThis, "pagehide", () => this.#leave());
    on(globalThis, "online", () => this.#schedule(0));
    on(globalThis.document, "visibilitychange", () =>
      document.visibilityState === "hidden" ? this.#leave() : this.pending && this.#schedule(0),
    );
    on(globalThis, "storage", ({ key, newValue }) => {
      if (key === null || key === `attune.${CONSENT}`) this.#adopt(parsed(newValue) ?? "none");
    });
  }

  /** Consent stated, or withdrawn, in one tab holds in all of them. */
  #adopt(stated) {
    if (!CONSENTS.includes(stated) || stated === this.#stated) return;
    this.#stated = stated;
    this.#introduction = null;
    this.#forgetPage();
    for (const key of KEYS) guarded(() => sessionStorage.removeItem(`attune.${key}`));
    this.#announce("consent", { consent: this.consent, stated });
  }

  #announce(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  #queue() {
    return this.#get(QUEUE) ?? [];
  }

  #store(queue) {
    this.#set(QUEUE, queue);
  }

  /** The storage that the consent in force allows for a key; null for the page alone. */
  #storage(key) {
    return this.consent === "none" ? null : webStorage(key, this.consent);
  }

  #get(key) {
    const text = guarded(() => this.#storage(key)?.getItem(`attune.${key}`));
    return parsed(text) ?? this.#page.get(key);
  }

  #set(key, value) {
    this.#page.set(key, value);
    const name = `attune.${key}`;
    const stored = guarded(() => this.#storage(key)?.setItem(name, JSON.stringify(value)) ?? true);
    // A full storage must not answer with yesterday's value.
    if (!stored) guarded(() => this.#storage(key)?.removeItem(name));
  }

  #forgetPage() {
    this.#page.clear();
    this.#beaconed.clear();
    for (const sighting of this.#sightings) sighting.cancel();
    this.#sightings.clear();
  }

  #erase(keys) {
    for (const key of keys) {
      guarded(() => localStorage.removeItem(`attune.${key}`));
      guarded(() => sessionStorage.removeItem(`attune.${key}`));
    }
  }
}

// The edge's very last resort is a slate that says little more than that it is one.
const UNKNOWN = {
  versions: { bundle: "none", policy: 0, model: "none" },
  epsilon: 0,
  exploration_rate: 0,
  session_shift: 0,
};

/** Return the entries of a Server-Timing header: name, duration in ms, description. */
export function readServerTiming(header) {
  return (header ?? "").split(",").filter(Boolean).map((entry) => {
    const [name, ...parts] = entry.split(";").map((part) => part.trim());
    const values = Object.fromEntries(parts.map((part) => part.split("=", 2)));
    const description = (values.desc ?? "").replaceAll('"', "");
    return { name, duration_ms: Number(values.dur ?? 0), description };
  });
}

function shownItem({ item_id, position, propensity }) {
  return { item_id, position, propensity };
}

/** Return the events from the head of the queue that one request may carry. */
function head(queue) {
  let size = 0;
  const tooMany = queue.findIndex((event, index) => {
    size += JSON.stringify(event).length;
    return index > 0 && size > BATCH_CHARACTERS_MAX;
  });
  return tooMany < 0 ? queue : queue.slice(0, tooMany);
}

function retryAfterMs(header) {
  if (!header) return 0;
  const ms = /^\d+$/.test(header) ? header * 1000 : Date.parse(header) - Date.now();
  return Math.min(Math.max(ms || 0, 0), 10 * BACKOFF_MAX_MS);
}

function deviceClass() {
  const matches = (query) => globalThis.matchMedia?.(query).matches === true;
  if (!globalThis.matchMedia) return "unknown";
  if (!matches("(pointer: coarse)")) return matches("(max-width: 600px)") ? "mobile" : "desktop";
  return Math.min(screen.width, screen.height) < 600 ? "mobile" : "tablet";
}

function webStorage(key, consent = "full") {
  const lasting = key === CONSENT || (consent === "full" && key !== RECENT);
  return lasting ? globalThis.localStorage : globalThis.sessionStorage;
}

function checkedConsent(consent) {
  if (!CONSENTS.includes(consent)) throw new TypeError(`consent must be one of ${CONSENTS}`);
  return consent;
}

/** Return what `act` returns; a browser that blocks or lacks the storage makes it undefined. */
function guarded(act) {
  try {
    return act();
  } catch {
    return undefined;
  }
}

function parsed(text) {
  return text ? guarded(() => JSON.parse(text)) : undefined;
}

function randomId() {
  // randomUUID exists only where the page came over HTTPS or from this machine.
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The side panel: what attune knows of this visit, and why the slate looks as it does.

import { art } from "./art.js";
import { element, styled } from "./dom.js";
import { durationWords, percentWords, shiftWords, shortTitle } from "./words.js";

const TRAIL_MAX = 6;
const BUDGET = [0.05, 0.15]; // The exploration controller's aim.
const RATE_MAX = 0.25; // The right end of the exploration gauge.

const CONSENT = {
  full: [
    "Everything",
    "Clicks are kept under a random id in a cookie that no script can read, and shape what comes next.",
  ],
  cohort: [
    "Crowd only",
    "No id. Clicks count for the crowd, and for this tab until it is closed.",
  ],
  none: [
    "Nothing",
    "Nothing is stored, on this device or elsewhere, and nothing is personalised.",
  ],
};

const RUNGS = {
  full: ["Full answer", "good"],
  stale: ["Stale bundle", "warn"],
  cohort: ["Cohort bundle", "warn"],
  popular: ["Popular items", "warn"],
  static: ["Last known good", "bad"],
};

// What the stages of a Server-Timing header are called here.
const STAGES = {
  boot: "boot",
  prepare: "features",
  cache: "regional cache",
  origin: "origin",
  score: "scorer",
  decide: "choice",
};

/** Build the panel; returns `update(view)`. */
export function buildPanel(body, peek, { stateConsent }) {
  const sections = [visit, session, changes, answer, exploration].map((build) =>
    build({ stateConsent }),
  );
  body.replaceChildren(...sections.map((section) => section.root));
  return (view) => {
    for (const { root, update, aboutSlate } of sections) {
      root.hidden = Boolean(aboutSlate && !view.slate);
      if (!root.hidden) update(view);
    }
    peek.textContent = peekWords(view);
  };
}

function facts(title, ...children) {
  const note = element("span");
  const root = element("section", { class: "facts" });
  root.append(element("h2", {}, element("span", {}, title), note), ...children);
  return { root, note };
}

function visit({ stateConsent }) {
  const sentence = element("p", { id: "consent-sentence", "aria-live": "polite" });
  const choices = element("div", { class: "choices", role: "radiogroup" });
  choices.setAttribute("aria-label", "What may be remembered");
  const inputs = Object.entries(CONSENT).map(([value, [label]]) => {
    const input = element("input", { type: "radio", name: "consent", value });
    input.addEventListener("change", () => stateConsent(value));
    choices.append(element("label", {}, input, element("span", {}, label)));
    return input;
  });
  const { root, note } = facts("What may be remembered", choices, sentence);
  const update = ({ consent, stated }) => {
    for (const input of inputs) input.checked = input.value === stated;
    const capped = consent !== stated;
    const cap = "Your browser's privacy control lowers this to the crowd. ";
    sentence.textContent = (capped ? cap : "") + CONSENT[consent][1];
    note.textContent = consent === "full" ? "one cookie" : "no id";
  };
  return { root, update };
}

function session() {
  const value = element("b", {}, "0.00");
  const words = element("span");
  const gauge = element("div", { class: "gauge" }, element("i"));
  const trail = element("ol", { class: "trail", "aria-label": "Last steps of this visit" });
  const fresh = element("p", { class: "fresh", id: "freshness", role: "status" });
  const figure = element("p", { class: "figure" }, value, words);
  const { root, note } = facts("This visit", figure, gauge, trail, fresh);
  const update = ({ slate, recent, itemOf, freshness, consent }) => {
    const shift = slate?.session_shift ?? 0;
    value.textContent = shiftWords(shift);
    words.textContent = meaningOf(shift, freshness.state);
    // A step of a visitor with a history moves little: the root makes it visible.
    styled(gauge, { "--share": `${Math.sqrt(Math.min(shift, 1)) * 100}%` });
    note.textContent = recent.length === 1 ? "1 step" : `${recent.length} steps`;
    trail.replaceChildren(...recent.slice(-TRAIL_MAX).map((step) => stepMark(step, itemOf)));
    trail.hidden = !recent.length;
    fresh.dataset.state = freshness.state;
    fresh.replaceChildren(element("span", {}, ...freshnessWords(freshness, consent)));
  };
  return { root, update };
}

function meaningOf(shift, state) {
  if (shift) return "session shift of this slate";
  return state === "seen" ? "the stream knows every step" : "session shift";
}

function stepMark({ item_id, action }, itemOf) {
  const item = itemOf(item_id) ?? { item_id, title: item_id, category: "", image_url: "" };
  const label = `${action}: ${item.title}`;
  const words = element("span", { class: "trail-action" }, action);
  const mark = element("li", { "data-action": action, title: label }, art(item), words);
  mark.append(element("span", { class: "aside-text" }, item.title));
  return mark;
}

function freshnessWords({ state, ms }, consent) {
  const time = element("b", {}, durationWords(ms));
  if (consent === "none") return ["No event leaves this page."];
  if (state === "waiting") return ["Your click was stored after ", time, "; the stream learns."];
  if (state === "seen") return ["Your click went through the stream and back in ", time, "."];
  if (state === "late") return ["The stream has not answered within ", time, "."];
  if (state === "uncounted") return ["Your click was counted for the crowd."];
  return ["Click something to time the stream."];
}

function changes() {
  const bars = "Bars: the chance each item had of standing where it stands. Violet: a guess.";
  const sentence = element("p", { class: "legend" }, bars);
  const list = element("ol", { class: "ranks" });
  const { root, note } = facts("Why this order", sentence, list);
  const update = ({ slate, changed }) => {
    note.textContent = changed ? `${changed.moved} moved, ${changed.arrived} new` : "";
    list.replaceChildren(...slate.items.map((item) => rank(item, changed)));
  };
  return { root, update, aboutSlate: true };
}

function rank(item, changed) {
  const move = changed?.moves.get(item.item_id) ?? { kind: "same", by: 0 };
  const arrows = { up: `↑${move.by}`, down: `↓${move.by}`, new: "new", same: "·" };
  const spoken = { up: `up ${move.by}`, down: `down ${move.by}`, new: "new", same: "unmoved" };
  const arrow = element("span", { class: "ranks-move", "data-move": move.kind });
  arrow.append(
    element("span", { "aria-hidden": "true" }, arrows[move.kind]),
    element("span", { class: "aside-text" }, spoken[move.kind]),
  );
  const bar = element("span", { class: "bar", "aria-hidden": "true" }, element("i"));
  styled(bar, { "--share": `${item.propensity * 100}%` });
  const title = element("span", { class: "ranks-title", title: item.title });
  title.textContent = shortTitle(item.title);
  return element(
    "li",
    { "data-why": item.explored ? "explore" : item.why },
    element("span", { class: "ranks-place" }, String(item.position + 1)),
    arrow,
    title,
    bar,
    element("span", { class: "ranks-number" }, percentWords(item.propensity)),
  );
}

function answer() {
  const chips = element("div", { class: "chips" });
  const stages = element("ol", { class: "stages" });
  const versions = element("p", { class: "versions" });
  const { root, note } = facts("This answer", chips, stages, versions);
  const update = ({ slate }) => {
    const [rung, tone] = RUNGS[slate.degraded] ?? [slate.degraded, "warn"];
    const cache = cacheOf(slate);
    chips.replaceChildren(
      chip(rung, tone, "degraded"),
      chip(cache.words, cache.hit ? "good" : "warn", "cache"),
    );
    note.textContent = durationWords(slate.round_trip_ms);
    stages.replaceChildren(...stageBars(slate));
    const { bundle, policy, model } = slate.versions;
    versions.textContent = `bundle ${bundle} · policy ${policy} · model ${model}`;
  };
  return { root, update, aboutSlate: true };
}

function chip(words, tone, id) {
  return element("span", { class: "chip", "data-tone": tone, id }, words);
}

function stageBars({ timings, round_trip_ms: whole }) {
  const rows = timings.map(({ name, duration_ms: ms }) => [STAGES[name] ?? name, ms, false]);
  rows.push(["round trip", whole, true]);
  return rows.map(([name, ms, total]) => {
    const bar = element("span", { class: "bar", "aria-hidden": "true" }, element("i"));
    styled(bar, { "--share": `${Math.min(100, Math.max(1.5, (100 * ms) / whole))}%` });
    const time = ms < 1 ? "< 1 ms" : durationWords(ms); // The edge's clock ticks in milliseconds.
    const cells = [element("span", {}, name), bar, element("span", {}, time)];
    return element("li", { class: total ? "is-total" : null }, ...cells);
  });
}

function exploration() {
  const gauge = element("div", { class: "gauge gauge-band" }, element("b"), element("i"));
  const [low, high] = BUDGET;
  const from = `${(100 * low) / RATE_MAX}%`;
  styled(gauge, { "--from": from, "--wide": `${(100 * (high - low)) / RATE_MAX}%` });
  const sentence = element("p");
  const { root, note } = facts("Exploration", gauge, sentence);
  const update = ({ slate }) => {
    const rate = slate.exploration_rate;
    const tried = slate.items.filter((item) => item.explored).length;
    note.textContent = `${percentWords(rate)} of places`;
    styled(gauge, { "--share": `${Math.min(100, (100 * rate) / RATE_MAX)}%` });
    const many = `${tried || "No"} items here are guesses`;
    const guesses = tried === 1 ? "1 item here is a guess" : many;
    const mixed = `Thompson samples weigh ${percentWords(slate.epsilon)} in the order`;
    sentence.textContent = `${guesses}. ${mixed}; the aim is 5 to 15 % of places.`;
  };
  return { root, update, aboutSlate: true };
}

/** Return where the bundle came from: an answer that waited for the origin says so. */
function cacheOf({ timings, degraded }) {
  const stages = new Set(timings.map(({ name }) => name));
  if (stages.has("origin")) return { hit: false, words: "Cache miss" };
  if (degraded === "static") return { hit: false, words: "No bundle" };
  return { hit: true, words: stages.has("cache") ? "Cache hit, regional" : "Cache hit" };
}

function peekWords({ slate, changed }) {
  if (!slate) return "Waiting for the first slate";
  const parts = [`shift ${shiftWords(slate.session_shift)}`];
  if (changed) parts.push(`${changed.moved} moved, ${changed.arrived} new`);
  parts.push(cacheOf(slate).words.toLowerCase(), durationWords(slate.round_trip_ms));
  return parts.join(" · ");
}

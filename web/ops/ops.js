// The operations console: reads the edge's counters and the origin's overview, every two seconds.

import { element, styled } from "../storefront/dom.js";

const EVERY_MS = 2_000;
const TIMEOUT_MS = 4_000;
const $ = (id) => document.getElementById(id);
const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });

let last = null; // The previous report of the edge, for rates.
const absent = new Set(); // Addresses that this edge does not have, asked once.

async function read(path) {
  if (absent.has(path)) return null;
  try {
    const response = await fetch(path, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.status === 404) absent.add(path);
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

async function refresh() {
  if (document.visibilityState === "visible") {
    const [edge, overview] = await Promise.all([read("/v1/edge/status"), read("/v1/ops/overview")]);
    const now = performance.now();
    $("pulse").textContent = edge
      ? `Read at ${new Date().toLocaleTimeString()}.`
      : "The edge does not answer; trying again.";
    $("edge").replaceChildren(...(edge ? edgeTiles(edge, now) : [missing("The edge is silent.")]));
    const hidden = "The overview is not reachable through this edge; ask the origin itself.";
    $("origin").replaceChildren(...(overview ? originTiles(overview) : [missing(hidden)]));
    if (edge) last = { at: now, answers: total(edge.tiers) };
  }
  setTimeout(refresh, EVERY_MS);
}

function edgeTiles(edge, now) {
  const answers = total(edge.tiers);
  const rate = last ? (1000 * (answers - last.answers)) / (now - last.at) : 0;
  const waited = (edge.tiers?.origin ?? 0) + (edge.tiers?.late ?? 0);
  const failures = total(edge.errors);
  return [
    tile("Slates served", whole.format(answers), `${rate.toFixed(1)} a second`),
    tile("Without waiting for the origin", percent(answers - waited, answers), "aim: over 80 %"),
    tile("Exploration rate", percent(edge.exploration_rate ?? 0, 1), "aim: 5 to 15 %"),
    tile("Errors", whole.format(failures), "this isolate", failures ? "bad" : ""),
    shares("Where bundles came from", edge.tiers),
    shares("Rungs of the ladder", edge.rungs),
    shares("Scored by", edge.scorers),
    shares("Events", edge.events),
    shares("Bundles renewed", edge.refreshes),
    shares("Turned away", edge.errors),
    shares("Served slates reported", edge.slates),
    shares("Models", edge.models),
    tile("Identity", edge.identity ?? "unknown", IDENTITY[edge.identity] ?? ""),
    tile("Clients remembered", whole.format(edge.clients ?? 0), "for their rate, by a salted hash"),
    tile("Model", edge.model_version ?? "unknown", `policy ${edge.policy_version ?? 0}`),
    tile("Bundles in memory", whole.format(edge.bundles ?? 0), megabytes(edge.bundle_bytes)),
    tile("Interpreter", edge.boots === 1 ? "1 boot" : `${edge.boots} boots`, "1 unless it died"),
    tile("Rewards held here", whole.format(edge.rewards_pending ?? 0), "until a snapshot covers them"),
  ];
}

const IDENTITY = { enforced: "a cookie or a token proves it", open: "no secret: bodies are believed" };

function megabytes(bytes = 0) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function originTiles(overview) {
  const lag = overview.lag === null ? null : total(overview.lag);
  const embedded = `${whole.format(overview.items_with_embedding)} with an embedding`;
  const appended = overview.events_appended;
  return [
    tile("Items", whole.format(overview.items), embedded),
    tile("Users", whole.format(overview.users), "pseudonymous"),
    tile("Interactions", whole.format(overview.interactions), "learned"),
    tile("Impressions", whole.format(overview.impressions), "learned"),
    tile("Events in the log", appended === null ? "unknown" : whole.format(appended), "appended"),
    tile("Stream lag", lag === null ? "unknown" : whole.format(lag), "events to read"),
    tile(
      "Dead letters",
      whole.format(overview.dead_letters),
      "kept aside",
      overview.dead_letters ? "bad" : "",
    ),
    tile("Exploration weight", overview.epsilon.toFixed(3), `policy ${overview.policy_version}`),
    posteriors(overview.posteriors),
  ];
}

function tile(title, figure, note, tone = "") {
  const parts = [element("h3", {}, title), element("b", {}, figure), element("p", {}, note)];
  return element("div", { class: "tile", "data-tone": tone }, ...parts);
}

function shares(title, counts = {}) {
  const all = total(counts);
  const counted = Object.entries(counts).filter(([, count]) => count > 0);
  const rows = counted.sort(([, one], [, other]) => other - one);
  const list = rows.map(([name, count]) => {
    const bar = element("span", { class: "bar", "aria-hidden": "true" }, element("i"));
    styled(bar, { "--share": `${all ? (100 * count) / all : 0}%` });
    const label = element("span", {}, name.replaceAll("_", " "));
    return element("li", {}, label, bar, element("span", {}, whole.format(count)));
  });
  const body = list.length ? element("ul", { class: "shares" }, ...list) : element("p", {}, "None yet.");
  return element("div", { class: "tile is-shares" }, element("h3", {}, title), body);
}

function posteriors(counts) {
  const head = ["Item", "Context", "Impressions", "Reward", "Mean"];
  const titles = head.map((name) => element("th", { scope: "col" }, name));
  const rows = counts.map(({ item_id, bucket, impressions, reward }) => {
    const mean = percent(reward, impressions);
    const cells = [bucket, whole.format(impressions), reward.toFixed(1), mean];
    const name = element("th", { scope: "row" }, item_id);
    return element("tr", {}, name, ...cells.map((text) => element("td", {}, text)));
  });
  const table = element(
    "table",
    {},
    element("thead", {}, element("tr", {}, ...titles)),
    element("tbody", {}, ...rows),
  );
  const scroll = { class: "scroll", tabindex: "0", role: "region", "aria-label": "Most shown" };
  const box = element("div", scroll, table);
  return element("div", { class: "tile is-wide" }, element("h3", {}, "Most shown"), box);
}

function missing(sentence) {
  return element("p", { class: "tile is-wide" }, sentence);
}

function total(counts = {}) {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function percent(part, all) {
  return all ? `${((100 * part) / all).toFixed(1)} %` : "0 %";
}

refresh();

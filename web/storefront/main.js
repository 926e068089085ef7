// The storefront: asks for a slate, shows it, and asks again whenever the visitor did something.

import { createAttune } from "../sdk/attune.js";
import { bindControls } from "./controls.js";
import { openDetail } from "./detail.js";
import { element } from "./dom.js";
import { buildFilter } from "./filter.js";
import { followFreshness } from "./freshness.js";
import { buildPanel } from "./panel.js";
import { addPage, compare, showSkeletons, showSlate } from "./slate.js";
import { lede, shortTitle } from "./words.js";

const SLATE_LENGTH = 13; // A large first item and twelve: full rows at four columns and at two.
const PAGE_LENGTH = 12; // The same without the large one.
const PATIENCE_MS = 8_000; // A cold edge boots an interpreter first.
const TOAST_MS = 3_200;

const $ = (id) => document.getElementById(id);
const address = new URL(location.href);
const asked = address.searchParams.get("consent");
const attune = createAttune({
  consent: "full", // The demo shows everything from the start; the panel's switch lowers it.
  entryCategory: address.searchParams.get("category") ?? undefined,
});
if (["full", "cohort", "none"].includes(asked)) attune.setConsent(asked);

const known = new Map(); // Items by id, so that a step can be named after its item has gone.
let stated = attune.consent;
let slate = null;
let pages = []; // What "Show more" has put behind the slate.
let previous = null;
let changed = null;
let dismissed = [];
let freshness = { state: "idle", ms: 0 };
let request = null;
let stopWatching = () => {};
let toastTimer = 0;

const itemOf = (id) => known.get(id);
const titleOf = (id) => known.get(id)?.title;
const filter = buildFilter($("filter"), () => ask().then(show));
const update = buildPanel($("panel-body"), $("peek-summary"), { stateConsent });

function render() {
  const { consent, recent } = attune;
  update({ slate, changed, recent, consent, stated, itemOf, freshness });
}

/** Ask for the next slate, or for a page that continues it; null when it did not come. */
async function ask(page = {}) {
  request?.abort();
  request = new AbortController();
  const { signal } = request;
  document.documentElement.classList.add("is-waiting");
  const gone = attune.recent.filter(({ action }) => action === "dismiss" || action === "purchase");
  const exclude = [...new Set([...dismissed, ...gone.map((step) => step.item_id)])];
  const categories = filter.chosen();
  const options = { n: SLATE_LENGTH, exclude, categories, signal, timeoutMs: PATIENCE_MS };
  try {
    return await attune.recommendations({ ...options, ...page });
  } catch (error) {
    if (error.kind !== "aborted") fail(error);
    return null;
  } finally {
    if (request.signal === signal) document.documentElement.classList.remove("is-waiting");
  }
}

/** Put a slate on the page, as a change from the one before it. */
function show(next) {
  if (!next) return;
  stopWatching();
  changed = slate ? compare(slate, next) : null;
  [previous, slate] = [slate, next];
  for (const item of next.items) known.set(item.item_id, item);
  const cards = showSlate($("slate"), next, changed, { titleOf, open, dismiss });
  stopWatching = attune.observe(next, cards);
  pages = [];
  filter.offer(next.items);
  $("more").hidden = next.items.length < SLATE_LENGTH;
  const empty = filter.chosen().length
    ? "Nothing here is of this category. Choose another one, or everything."
    : "There is nothing to show yet. Load a catalogue, then come back.";
  trouble(next.items.length ? null : ["An empty shelf.", empty]);
  say();
  render();
}

/** Continue the slate by a page that repeats nothing of what is shown. */
async function showMore() {
  const first = slate;
  const after = [slate, ...pages].flatMap(({ items }) => items.map((item) => item.item_id));
  const next = await ask({ n: PAGE_LENGTH, after });
  if (!next || slate !== first) return;
  pages.push(next);
  for (const item of next.items) known.set(item.item_id, item);
  const cards = addPage($("slate"), next, { titleOf, open, dismiss });
  const [before, behind] = [stopWatching, attune.observe(next, cards)];
  stopWatching = () => [before, behind].forEach((stop) => stop());
  $("more").hidden = next.items.length < PAGE_LENGTH;
  cards[0]?.querySelector("button").focus({ preventScroll: true });
}

function say() {
  const title = (id) => titleOf(id) && shortTitle(titleOf(id));
  const { consent, recent } = attune;
  const [headline, standfirst] = lede({ consent, recent, titleOf: title, changed });
  const [before, emphasised, after] = headline;
  const words = [before, emphasised ? element("em", {}, emphasised) : "", after ?? ""];
  const isNew = $("headline").textContent !== headline.join("");
  $("headline").replaceChildren(...words);
  $("standfirst").textContent = standfirst;
  const block = $("headline").parentElement;
  if (!isNew) return;
  block.classList.remove("is-new");
  void block.offsetWidth; // Restarts the animation.
  block.classList.add("is-new");
}

function open(item, entry) {
  attune.track("click", item);
  let next = ask();
  const act = (action) => {
    next = note(action, item);
  };
  const closed = async () => {
    show(await next);
    if (document.activeElement === document.body) $("slate").focus({ preventScroll: true });
  };
  openDetail($("detail"), item, entry, { titleOf, act, closed });
  render();
}

async function dismiss(item) {
  show(await note("dismiss", item));
  $("slate").focus({ preventScroll: true });
}

function note(action, item) {
  attune.track(action, item);
  if (action === "dismiss") dismissed.push(item.item_id);
  const words = { cart: "Noted. The next slate builds on it.", dismiss: "Gone, and less like it." };
  toast(words[action]);
  return ask();
}

function fail(error) {
  const reasons = {
    network: "The edge cannot be reached.",
    timeout: "The edge did not answer in time.",
    http: error.status < 500 ? "The edge refused the request." : "The edge has no answer right now.",
  };
  const text = reasons[error.kind];
  if (slate) toast(`${text} This slate stays.`);
  else trouble(["No slate yet.", `${text} Nothing is lost: what you did is kept and sent later.`]);
}

function trouble(words) {
  $("trouble").hidden = !words;
  $("slate").hidden = Boolean(words);
  if (!words) return;
  [$("trouble-title").textContent, $("trouble-text").textContent] = words;
}

function toast(words) {
  $("toast").textContent = words;
  $("toast").classList.add("is-shown");
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => $("toast").classList.remove("is-shown"), TOAST_MS);
}

function stateConsent(consent) {
  attune.setConsent(consent);
}

/** Start over on the same page: another visitor, or other rules for this one. */
async function begin(words) {
  freshness = { state: "idle", ms: 0 };
  dismissed = [];
  filter.reset();
  if (words) toast(words);
  const next = await ask();
  changed = null;
  show(next);
}

attune.addEventListener("consent", ({ detail }) => {
  stated = detail.stated;
  // Nothing may be stored to remember a "no", so the address remembers it.
  const url = new URL(location.href);
  if (stated === "none") url.searchParams.set("consent", "none");
  else url.searchParams.delete("consent");
  history.replaceState(null, "", url);
  if (stated === "none") known.clear();
  begin();
});
const bundleOf = (id) => [slate, previous].find((s) => s?.slate_id === id)?.versions.bundle;
followFreshness(attune, bundleOf, (news) => {
  freshness = news;
  render();
});
bindControls({
  attune,
  newVisitor: () => {
    stopWatching();
    attune.reset();
    known.clear();
    begin("You are somebody else now. Nothing of the last visitor is left here.");
  },
});
$("retry").addEventListener("click", () => begin());
$("more").addEventListener("click", showMore);

render();
showSkeletons($("slate"), SLATE_LENGTH);
begin();

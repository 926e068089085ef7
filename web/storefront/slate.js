// The slate's grid: keeps cards of items that stay, and lets every change be seen as a movement.

import { badge, card, skeleton } from "./card.js";

const MOVE_MS = 620;
const STAGGER_MS = 14;
const EASE = "cubic-bezier(0.22, 0.9, 0.24, 1)";

/** Return how each item moved between two slates, by item id, and the totals. */
export function compare(before, after) {
  const places = new Map((before?.items ?? []).map((item) => [item.item_id, item.position]));
  const moves = new Map();
  const totals = { moved: 0, arrived: 0, kept: 0 };
  for (const { item_id: id, position } of after.items) {
    const by = places.get(id) - position;
    const kind = !places.has(id) ? "new" : by > 0 ? "up" : by < 0 ? "down" : "same";
    totals[kind === "new" ? "arrived" : kind === "same" ? "kept" : "moved"] += 1;
    moves.set(id, { kind, by: Math.abs(by) });
  }
  return { moves, ...totals };
}

/** Fill the grid with place-holders. */
export function showSkeletons(list, count) {
  list.replaceChildren(...Array.from({ length: count }, skeleton));
  list.setAttribute("aria-busy", "true");
}

/** Bring the grid to `slate`; returns the cards in the order of its items. */
export function showSlate(list, slate, changed, acts) {
  const before = places(list);
  const known = new Map([...list.querySelectorAll("[data-item]")].map((c) => [c.dataset.item, c]));
  const cards = slate.items.map((item) => {
    const kept = known.get(item.item_id);
    if (kept) kept.refresh(item);
    return kept ?? card(item, acts);
  });
  list.replaceChildren(...cards);
  list.setAttribute("aria-busy", "false");
  for (const entry of cards) badge(entry, changed?.moves.get(entry.dataset.item));
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) animate(cards, before);
  return cards;
}

/** Put a further page's cards behind those that are there; returns them. */
export function addPage(list, slate, acts) {
  const cards = slate.items.map((item) => card(item, acts));
  list.append(...cards);
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) animate(cards, new Map());
  return cards;
}

function places(list) {
  const cards = [...list.querySelectorAll("[data-item]")];
  return new Map(cards.map((entry) => [entry.dataset.item, entry.getBoundingClientRect()]));
}

/** First, last, invert, play: each card starts where it was and glides to where it is. */
function animate(cards, before) {
  const landed = cards.map((entry) => entry.getBoundingClientRect());
  cards.forEach((entry, index) => {
    const from = before.get(entry.dataset.item);
    const frames = from ? glide(from, landed[index]) : before.size ? ARRIVE : SETTLE;
    const delay = index * STAGGER_MS;
    entry.animate(frames, { duration: MOVE_MS, delay, easing: EASE, fill: "backwards" });
  });
}

const ARRIVE = [
  { opacity: 0, transform: "scale(0.86)" },
  { opacity: 1, transform: "none" },
];
const SETTLE = [
  { opacity: 0, transform: "translateY(18px)" },
  { opacity: 1, transform: "none" },
];

function glide(from, to) {
  const scale = to.width ? from.width / to.width : 1;
  const shift = `translate(${from.left - to.left}px, ${from.top - to.top}px) scale(${scale})`;
  return [
    { transform: shift, transformOrigin: "0 0" },
    { transform: "none", transformOrigin: "0 0" },
  ];
}

// One item of the slate.

import { art, playClip } from "./art.js";
import { cross, element } from "./dom.js";
import { metaWords, priceWords, shortTitle, whyWords } from "./words.js";

/** Return the list entry of an item; `open` and `dismiss` are called with the item. */
export function card(item, { titleOf, open, dismiss }) {
  const picture = art(item, { eager: item.position < 5 });
  const isFilm = item.price === null || item.price === undefined;
  if (isFilm) picture.append(element("span", { class: "billing" }, shortTitle(item.title)));
  const text = element("span", { class: "card-text" });
  const button = element("button", { class: "card-open", type: "button" }, picture, text);
  const away = element(
    "button",
    { class: "card-dismiss", type: "button", "aria-label": `Not for me: ${item.title}` },
    cross(),
  );
  const entry = element("li", { class: "card", "data-item": item.item_id }, button, away);
  entry.refresh = (current) => {
    text.replaceChildren(...lines(current, titleOf, isFilm));
    button.onclick = () => open(current, entry);
    away.onclick = () => dismiss(current);
  };
  entry.refresh(item);
  hover(button, picture, item);
  return entry;
}

/** Return a card's place-holder while the first slate is on its way. */
export function skeleton() {
  const bones = [element("span", { class: "bone" }), element("span", { class: "bone" })];
  const text = element("span", { class: "card-text" }, ...bones);
  const body = element("span", { class: "card-open" }, element("span", { class: "art" }), text);
  return element("li", { class: "card is-skeleton", "aria-hidden": "true" }, body);
}

/** Show how far an item moved since the last slate, as a badge on its picture. */
export function badge(entry, move) {
  entry.querySelector(".move")?.remove();
  if (!move || move.kind === "same") return;
  const words = { new: "New", up: `↑ ${move.by}`, down: `↓ ${move.by}` };
  const mark = element("span", { class: "move", "data-move": move.kind, "aria-hidden": "true" });
  mark.textContent = words[move.kind];
  entry.append(mark);
}

function lines(item, titleOf, isFilm) {
  const why = whyWords(item, (id) => shortTitle(titleOf(id) ?? ""));
  const tag = element("span", { class: "why", "data-why": item.why, title: why });
  tag.append(element("span", {}, why));
  const meta = element("span", { class: "card-meta" }, element("span", {}, metaWords(item)));
  if (isFilm) return [tag, meta]; // Its title stands on the picture, as on a poster.
  meta.append(element("span", { class: "card-price" }, priceWords(item.price)));
  return [tag, element("span", { class: "card-title" }, item.title), meta];
}

function hover(button, picture, item) {
  let stop = () => {};
  const start = () => {
    stop();
    stop = playClip(picture, item);
  };
  button.addEventListener("pointerenter", (event) => event.pointerType === "mouse" && start());
  button.addEventListener("pointerleave", () => stop());
}

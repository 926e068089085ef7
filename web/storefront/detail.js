// One item, large: what it is, why it is here, and what the visitor thinks of it.

import { art, playClip } from "./art.js";
import { cross, element, styled } from "./dom.js";
import { metaWords, percentWords, priceWords, shortTitle, whySentence } from "./words.js";

/** Open the dialog; `act(action)` is called for "cart" and "dismiss", `closed` in any case. */
export function openDetail(dialog, item, from, { titleOf, act, closed }) {
  const picture = art(item, { eager: true });
  let stop = () => {};
  const show = () => {
    dialog.replaceChildren(...content(dialog, item, picture, titleOf, act));
    dialog.showModal();
    picture.onpointerenter = () => {
      stop();
      stop = playClip(picture, item);
    };
    picture.onpointerleave = () => stop();
  };
  const close = () => {
    stop();
    closed();
  };
  dialog.addEventListener("close", close, { once: true });
  dialog.onclick = (event) => event.target === dialog && dialog.close();
  morph(from, picture, show);
}

function content(dialog, item, picture, titleOf, act) {
  const choose = (action) => () => {
    act(action);
    dialog.close();
  };
  const shop = item.price !== null && item.price !== undefined;
  const want = element("button", { class: "button", type: "button", onclick: choose("cart") });
  want.textContent = shop ? "Add to cart" : "Save for later";
  const quiet = { class: "button button-quiet", type: "button", onclick: choose("dismiss") };
  const close = { class: "detail-close", type: "button", "aria-label": "Close" };
  const text = element(
    "div",
    { class: "detail-text" },
    element("p", { class: "detail-meta" }, metaWords(item)),
    element("h2", { id: "detail-title" }, shortTitle(item.title)),
    shop ? element("p", { class: "detail-price" }, priceWords(item.price)) : null,
    whyBox(item, titleOf),
    figures(item),
    element("div", { class: "detail-actions" }, want, element("button", quiet, "Not for me")),
  );
  return [
    element("button", { ...close, onclick: () => dialog.close() }, cross()),
    element("div", { class: "detail-layout" }, picture, text),
  ];
}

function whyBox(item, titleOf) {
  const sentence = whySentence(item, (id) => shortTitle(titleOf(id) ?? ""));
  const asked = " The next slate already knows that you opened it.";
  return element("p", { class: "detail-why" }, element("b", {}, sentence), asked);
}

function figures({ position, propensity, base_score, score }) {
  const rows = [
    ["Place", String(position + 1)],
    ["Chance of it", percentWords(propensity)],
    ["Scorer", base_score.toFixed(3)],
    ["With exploration", score.toFixed(3)],
  ];
  const pairs = rows.map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value)),
  );
  return element("dl", { class: "detail-figures" }, ...pairs);
}

/** Let the card's picture grow into the dialog's where the browser can; else just show. */
function morph(from, to, show) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const start = from?.querySelector(".art");
  if (!document.startViewTransition || !start || still) return show();
  styled(start, { "view-transition-name": "chosen-art" });
  const transition = document.startViewTransition(() => {
    styled(start, { "view-transition-name": "none" });
    show();
    styled(to, { "view-transition-name": "chosen-art" });
  });
  const skipped = () => {}; // The dialog is open either way.
  transition.ready.catch(skipped);
  transition.finished.catch(skipped).then(() => styled(to, { "view-transition-name": "none" }));
}

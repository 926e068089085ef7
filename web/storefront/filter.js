// The row of categories above the slate: one of them at a time, or everything.

import { element } from "./dom.js";

const CATEGORIES_MAX = 9; // One row of a wide page; more would be a menu.

/** Build the row; returns `{ chosen(), offer(items), reset() }`. `changed` is called on a choice. */
export function buildFilter(row, changed) {
  const counts = new Map();
  let offered = [];
  let chosen = null;

  function draw() {
    row.hidden = offered.length < 2;
    const buttons = [null, ...offered].map((category) => {
      const attributes = { type: "button", "aria-pressed": String(category === chosen) };
      const button = element("button", attributes, category ?? "Everything");
      button.addEventListener("click", () => choose(category));
      return button;
    });
    row.replaceChildren(...buttons);
  }

  function choose(category) {
    if (category === chosen) return;
    chosen = category;
    const place = [null, ...offered].indexOf(category);
    draw();
    row.children[place].focus();
    changed();
  }

  return {
    chosen: () => (chosen ? [chosen] : []),
    /** Take note of the categories of what is shown; a row once full stays as it is. */
    offer(items) {
      for (const { category } of items) {
        if (category) counts.set(category, (counts.get(category) ?? 0) + 1);
      }
      if (offered.length >= CATEGORIES_MAX) return;
      const fresh = [...counts.keys()].filter((category) => !offered.includes(category));
      if (!fresh.length) return;
      offered = [...offered, ...fresh].slice(0, CATEGORIES_MAX);
      draw();
    },
    reset() {
      chosen = null;
      draw();
    },
  };
}

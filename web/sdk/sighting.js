/** Which items of one slate were on screen long enough to count as shown. */

const VISIBLE_SHARE = 0.5; // Half of a card tells what it is.
const VISIBLE_FOR_MS = 500; // Long enough for a glance; less is scrolling past.
const IMPRESSION_WITHIN_MS = 15_000; // An open page reports what was seen of a slate by then.

/** The watch over one slate; `report` is called once, with the items that were seen. */
export class Sighting {
  #seen = new Set();
  #waiting = new Map();
  #items;
  #report;
  #observer = null;
  #deadline = 0;

  constructor(slate, elements, report) {
    this.slateId = slate.slate_id;
    this.#items = slate.items;
    this.#report = report;
    if (!globalThis.IntersectionObserver) return;
    const idOf = new Map(elements.map((element, index) => [element, slate.items[index]?.item_id]));
    const look = (entries) => {
      for (const { target, intersectionRatio } of entries) {
        this.#look(idOf.get(target), intersectionRatio >= VISIBLE_SHARE);
      }
    };
    this.#observer = new IntersectionObserver(look, { threshold: VISIBLE_SHARE });
    for (const [element, id] of idOf) if (element && id) this.#observer.observe(element);
  }

  see(itemId) {
    if (!this.#items.some((item) => item.item_id === itemId)) return;
    this.#seen.add(itemId);
    this.#deadline ||= setTimeout(() => this.end(), IMPRESSION_WITHIN_MS);
    if (this.#seen.size === this.#items.length) this.end();
  }

  end() {
    const seen = this.#items.filter((item) => this.#seen.has(item.item_id));
    if (!seen.length) return;
    this.cancel();
    this.#report(seen);
  }

  cancel() {
    this.#observer?.disconnect();
    clearTimeout(this.#deadline);
    for (const timer of this.#waiting.values()) clearTimeout(timer);
    this.#waiting.clear();
    this.#seen.clear();
  }

  #look(id, visible) {
    clearTimeout(this.#waiting.get(id));
    this.#waiting.delete(id);
    if (!visible) return;
    const stillThere = () => document.visibilityState !== "hidden" && this.see(id);
    this.#waiting.set(id, setTimeout(stillThere, VISIBLE_FOR_MS));
  }
}

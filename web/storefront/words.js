// Sentences that the page says about a slate.

const WELCOME =
  "Open what catches your eye. The next slate is chosen again, with that in mind.";
const UNREMEMBERED =
  "This is what everyone opens right now. Nothing about this visit is kept, here or on a server.";
const YEAR = / \((\d{4})\)$/;

/** Return why an item stands where it stands, in a few words. */
export function whyWords(item, titleOf) {
  if (item.why === "session") {
    const because = item.because && titleOf(item.because);
    return because ? `Because you looked at ${because}` : "From this visit";
  }
  const words = {
    for_you: "For you",
    together: "Often opened together",
    trending: "Trending now",
    new: "New here",
    explore: "Worth a try",
  };
  return words[item.why] ?? "For you";
}

/** Return the same as a sentence, for the detail. */
export function whySentence(item, titleOf) {
  const sentences = {
    session: "It fits what you did during this visit.",
    for_you: "It is close to what you have liked so far.",
    together: "Visitors who opened what you opened went on to this.",
    trending: "Many visitors are opening it right now.",
    new: "It has only just arrived.",
    explore: "A deliberate guess: attune wants to learn whether you like it.",
  };
  const because = item.why === "session" && item.because && titleOf(item.because);
  return because ? `It is close to ${because}, which you looked at.` : sentences[item.why] ?? "";
}

/** Return headline and standfirst: `[before, emphasised, after]` and a sentence. */
export function lede({ consent, recent, titleOf, changed }) {
  if (consent === "none") {
    return [["Nothing remembered."], UNREMEMBERED];
  }
  const last = recent.at(-1);
  const title = last && titleOf(last.item_id);
  if (!last) {
    return [["Start anywhere."], WELCOME];
  }
  const opening = last.action === "dismiss" ? "Less like " : "More like ";
  const headline = title ? [opening, title, "."] : ["Where you left off."];
  return [headline, changedSentence(changed)];
}

/** Return how many places changed, as a sentence. */
export function changedSentence(changed) {
  if (!changed) return "Chosen for this visit. Open something and watch it change.";
  if (!changed.moved && !changed.arrived) return "Nothing fits better: every item kept its place.";
  const parts = [
    changed.arrived && counted(changed.arrived, "item came in", "items came in"),
    changed.moved && counted(changed.moved, "changed its place", "changed places"),
    changed.kept && counted(changed.kept, "stayed", "stayed"),
  ].filter(Boolean);
  return `After your last step ${parts.join(", ").replace(/, ([^,]*)$/, " and $1")}.`;
}

/** Return a title without the year that film catalogues append. */
export function shortTitle(title) {
  return title.replace(YEAR, "");
}

/** Return what stands in small print under a title: category, and a film's year. */
export function metaWords({ title, category }) {
  return [category, title.match(YEAR)?.[1]].filter(Boolean).join(" · ");
}

/** Return a price as the visitor writes it. */
export function priceWords(price) {
  return new Intl.NumberFormat(undefined, {
    style: "currency",
    currency: "EUR",
    minimumFractionDigits: Number.isInteger(price) ? 0 : 2,
  }).format(price);
}

/** Return a duration short enough for a line of figures. */
export function durationWords(ms) {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** Return a cosine distance; small ones, after a single step, need a third digit. */
export function shiftWords(shift) {
  return shift.toFixed(shift > 0 && shift < 0.1 ? 3 : 2);
}

/** Return a share as a percentage. */
export function percentWords(share) {
  const percent = share * 100;
  return `${percent < 10 && percent > 0 ? percent.toFixed(1) : Math.round(percent)} %`;
}

function counted(count, one, many) {
  return `${count} ${count === 1 ? one : many}`;
}

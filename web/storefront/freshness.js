// How long a click takes until the stream has learned from it. Steps that the served bundle does
// not know yet move the session away from it; once it knows them all, that shift is zero.

const ASK_EVERY_MS = 250;
const GIVE_UP_AFTER_MS = 30_000;
const OWN = ["full", "stale"]; // Rungs on which the answer came from the user's own bundle.

/**
 * Follow every interaction until the edge serves a bundle that knows it.
 *
 * @param attune the client.
 * @param bundleOf returns the version of the bundle behind a slate, by its id.
 * @param tell called with `{ state: "waiting" | "seen" | "late" | "uncounted", ms }`.
 */
export function followFreshness(attune, bundleOf, tell) {
  let following = 0;
  attune.addEventListener("delivered", async ({ detail }) => {
    const last = detail.events.findLast((event) => event.type !== "impression");
    if (!last) return;
    // Only a user's own bundle changes with a click; the crowd's does not follow one visitor.
    if (attune.consent !== "full") return tell({ state: "uncounted", ms: 0 });
    const mine = ++following;
    const acknowledged = Date.now() - last.occurred_at_ms;
    tell({ state: "waiting", ms: acknowledged });
    const visit = attune.sessionId; // A new visitor, or other rules for this one, begin a new one.
    const wanted = () => mine === following && attune.sessionId === visit;
    const before = bundleOf(last.slate_id);
    const ms = await untilLearned(attune, before, last.occurred_at_ms, wanted);
    if (wanted()) tell({ state: ms ? "seen" : "late", ms: ms ?? GIVE_UP_AFTER_MS });
  });
}

async function untilLearned(attune, before, since, wanted) {
  while (wanted() && Date.now() - since < GIVE_UP_AFTER_MS) {
    await new Promise((passed) => setTimeout(passed, ASK_EVERY_MS));
    const slate = await attune.recommendations({ n: 1 }).catch(() => null);
    if (!slate || slate.versions.bundle === before || !OWN.includes(slate.degraded)) continue;
    if (slate.session_shift === 0) return Date.now() - since;
  }
  return null;
}

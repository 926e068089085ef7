// How long a click takes until the stream has learned from it: the bundle's version changes.

const ASK_EVERY_MS = 250;
const GIVE_UP_AFTER_MS = 15_000;

/**
 * Follow every interaction until the edge serves a bundle that knows it.
 *
 * @param attune the client.
 * @param bundle returns the version of the bundle behind the current slate.
 * @param tell called with `{ state: "waiting" | "seen" | "late" | "uncounted", ms }`.
 */
export function followFreshness(attune, bundle, tell) {
  let following = 0;
  attune.addEventListener("delivered", async ({ detail }) => {
    const last = detail.events.findLast((event) => event.type !== "impression");
    if (!last) return;
    // Only a user's own bundle changes with a click; the crowd's does not follow one visitor.
    if (attune.consent !== "full") return tell({ state: "uncounted", ms: 0 });
    const mine = ++following;
    const acknowledged = Date.now() - last.occurred_at_ms;
    tell({ state: "waiting", ms: acknowledged });
    const ms = await untilChanged(attune, bundle(), last.occurred_at_ms, () => mine === following);
    if (mine === following) tell({ state: ms ? "seen" : "late", ms: ms ?? GIVE_UP_AFTER_MS });
  });
}

async function untilChanged(attune, before, since, wanted) {
  while (wanted() && Date.now() - since < GIVE_UP_AFTER_MS) {
    await new Promise((passed) => setTimeout(passed, ASK_EVERY_MS));
    const slate = await attune.recommendations({ n: 1 }).catch(() => null);
    if (slate && slate.versions.bundle !== before) return Date.now() - since;
  }
  return null;
}

/** How long answers took: the stages of one for `Server-Timing`, all of them for the report. */

/** Upper bounds in ms, as in attune/contract/edge_report.py; one more bucket for what took longer. */
const BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000];

const counts = new Array(BOUNDS_MS.length + 1).fill(0);
let sumMs = 0;

export class Timing {
  #started = Date.now();
  #stages = new Map();

  /** Return what `work` returns, its time added to `stage`; a worker's clock ticks in 1 ms. */
  async time(stage, work) {
    const started = Date.now();
    try {
      return await work();
    } finally {
      this.#stages.set(stage, (this.#stages.get(stage) ?? 0) + Date.now() - started);
    }
  }

  /** Return the header, and count the answer as ended. */
  ended() {
    const took = Date.now() - this.#started;
    const bucket = BOUNDS_MS.findIndex((bound) => took <= bound);
    counts[bucket < 0 ? BOUNDS_MS.length : bucket] += 1;
    sumMs += took;
    const stages = [...this.#stages].map(([stage, ms]) => `${stage};dur=${ms}`);
    return [...stages, `total;dur=${took}`].join(", ");
  }
}

/** Return what was counted since the last time, and how to give it back. */
export function takeLatencies() {
  const report = { latency_counts: [...counts], latency_sum_ms: sumMs };
  counts.fill(0);
  sumMs = 0;
  const putBack = () => {
    report.latency_counts.forEach((count, bucket) => (counts[bucket] += count));
    sumMs += report.latency_sum_ms;
  };
  return { report, putBack };
}

/** Return what `promise` resolves to; null when it fails or takes longer than `deadlineMs`. */
export async function within(promise, deadlineMs) {
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, deadlineMs, null);
  });
  try {
    return await Promise.race([promise, late]);
  } catch {
    return null;
  } finally {
    clearTimeout(timer);
  }
}

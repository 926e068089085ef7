/** How long the stages of one answer took, for the `Server-Timing` header. */

export class Timing {
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

  header() {
    return [...this.#stages].map(([stage, took]) => `${stage};dur=${took}`).join(", ");
  }
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

/** The snapshot of the warm interpreter, made in the same workerd that will restore it. */

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";

/** A cold start takes 2 s; on a busy machine several times that. */
const DEADLINE_MS = 60_000;

/**
 * Return {head, pages}: what `wasm/snapshot.js` restores.
 *
 * @param {string} root    the repository
 * @param {string} python  folder of the worker's other modules
 * @param {Record<string, string | Uint8Array>} inputs  files that only the snapshot is made of
 */
export async function interpreterSnapshot(root, python, inputs) {
  const steps = join(root, "wasm/build_steps");
  const folder = join(root, "wasm/build/snapshot");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ["snapshot.capnp", "snapshot_worker.js"])
    copyFileSync(join(steps, name), join(folder, name));
  symlinkSync(python, join(folder, "python"));
  for (const [name, bytes] of Object.entries(inputs)) writeFileSync(join(folder, name), bytes);
  const socket = join(folder, "socket");
  const process = spawn(
    join(root, "node_modules/.bin/workerd"),
    ["serve", join(folder, "snapshot.capnp"), "--socket-addr", `http=unix:${socket}`],
    { stdio: ["ignore", "inherit", "inherit"] },
  );
  try {
    const head = JSON.parse(await answer(process, socket, "/head"));
    const pages = await answer(process, socket, "/pages");
    head.sha256 = createHash("sha256").update(pages).digest("hex");
    return { head: JSON.stringify(head), pages };
  } finally {
    process.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Return the bytes at `path`, as soon as workerd listens. */
async function answer(process, socketPath, path) {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    try {
      return await fetched(socketPath, path);
    } catch (error) {
      if (process.exitCode !== null) throw new Error("workerd ended without a snapshot, see above");
      if (Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function fetched(socketPath, path) {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        if (response.statusCode === 200) resolve(Buffer.concat(chunks));
        else reject(new Error(`the snapshot: HTTP ${response.statusCode}`));
      });
    });
    asked.setTimeout(DEADLINE_MS, () => asked.destroy(new Error("no answer in time")));
    asked.on("error", reject);
    asked.end();
  });
}

/** msgpack's wheel for Pyodide: fetched once by pip, checked against the pinned hash, kept. */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const VERSION = "1.2.4";
const PLATFORM = "pyemscripten_2026_0_wasm32";
const FILE = `msgpack-${VERSION}-cp314-cp314-${PLATFORM}.whl`;
const SHA256 = "06a0657a4110d563255006b7cb7147432f67827144e429c2cdb1c967548d1817";

/** Return the wheel's bytes; `folder` is where it is kept. */
export function msgpackWheel(folder) {
  const path = join(folder, FILE);
  if (!existsSync(path)) {
    mkdirSync(folder, { recursive: true });
    download(folder);
  }
  const bytes = readFileSync(path);
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== SHA256)
    throw new Error(`${path} has sha256 ${found}, expected ${SHA256}: delete it`);
  return new Uint8Array(bytes);
}

/** Ask the ordinary package index through pip, or through uv where Python has no pip. */
function download(folder) {
  const platform = ["--python-version", "3.14", "--implementation", "cp", "--platform", PLATFORM];
  const request = ["download", "-q", "--no-deps", "--only-binary=:all:", ...platform];
  const pip = [...request, "-d", folder, `msgpack==${VERSION}`];
  const attempts = [
    ["python3", "-m", "pip"],
    ["python", "-m", "pip"],
    ["uvx", "pip"],
  ];
  const failures = [];
  for (const [program, ...start] of attempts) {
    try {
      execFileSync(program, [...start, ...pip], { stdio: ["ignore", "ignore", "pipe"] });
      return;
    } catch (error) {
      failures.push(
        `${program}: ${String(error.stderr ?? error.message)
          .trim()
          .split("\n")
          .at(-1)}`,
      );
    }
  }
  throw new Error(`msgpack's wheel could not be fetched:\n  ${failures.join("\n  ")}`);
}

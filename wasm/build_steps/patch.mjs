/** Replacing text in third-party code, loudly: every patch states how often it matches. */

/**
 * @typedef {object} Patch
 * @property {string} why    What the runtime refuses and what is put in its place.
 * @property {string} find   The exact text of the pinned version.
 * @property {string} put    What replaces it.
 * @property {number} times  How often `find` occurs; anything else fails the build.
 */

/**
 * Return `text` with every patch applied, in order.
 *
 * @param {string} name  The file's name, for the error.
 * @param {string} text
 * @param {Patch[]} patches
 */
export function applyPatches(name, text, patches) {
  return patches.reduce((patched, { why, find, put, times }) => {
    const parts = patched.split(find);
    if (parts.length - 1 !== times) {
      throw new Error(
        `${name}: the patch "${why}" expects ${times} matches of ${JSON.stringify(find)} and found ` +
          `${parts.length - 1}. The pinned version has changed: read the new code and adapt the patch.`,
      );
    }
    return parts.join(put);
  }, text);
}

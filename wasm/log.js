/** The edge's log: one JSON object a line, a verb with fields; no user stands in it. */

/** Tell people of something that went as it should; to stderr, as stdout is a command's answer. */
export function note(action, fields = {}) {
  console.warn(JSON.stringify({ action, ...fields }));
}

/** Tell people of something that they should look after. */
export function warn(action, fields = {}) {
  console.error(JSON.stringify({ action, ...fields }));
}

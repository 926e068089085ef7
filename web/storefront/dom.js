// Building elements without markup strings: text stays text, whatever an item is called.

const SVG = "http://www.w3.org/2000/svg";

/** Return an HTML element; `null` children and attributes are left out. */
export function element(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

/** Return an SVG element. */
export function drawing(tag, attributes = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), attributes, children);
}

/** Set custom properties, which a strict content security policy allows only through script. */
export function styled(target, properties) {
  for (const [name, value] of Object.entries(properties)) target.style.setProperty(name, value);
  return target;
}

/** Return a cross, as on a button that closes or dismisses. */
export function cross() {
  const path = drawing("path", { d: "m5 5 10 10M15 5 5 15" });
  return drawing("svg", { viewBox: "0 0 20 20", "aria-hidden": "true" }, path);
}

function filled(target, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) target.addEventListener(name.slice(2), value);
    else target.setAttribute(name, value === true ? "" : value);
  }
  target.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return target;
}

// Returns what is wrong with the page, as sentences: names, structure, contrast (WCAG AA).
() => {
  const problems = [];
  const visibly = { opacityProperty: true, visibilityProperty: true };
  const isShown = (node) => node.checkVisibility(visibly);
  const describe = (node) => node.outerHTML.slice(0, 90);
  const nameOf = (node) => {
    const labelled = node.getAttribute("aria-labelledby");
    const other = labelled && document.getElementById(labelled)?.textContent;
    const label = node.getAttribute("aria-label") ?? other;
    return (label ?? node.labels?.[0]?.textContent ?? node.textContent ?? "").trim();
  };

  if (!document.documentElement.lang) problems.push("the page names no language");
  if (!document.title) problems.push("the page has no title");
  if (document.querySelectorAll("h1").length !== 1) problems.push("there is not exactly one h1");
  if (document.querySelectorAll("main").length !== 1) problems.push("there is not exactly one main");
  for (const image of document.querySelectorAll("img")) {
    if (!image.hasAttribute("alt")) problems.push(`no alt: ${describe(image)}`);
  }
  for (const node of document.querySelectorAll("button, a[href], input, dialog, [role=region]")) {
    if (isShown(node) && !nameOf(node)) problems.push(`no name: ${describe(node)}`);
  }
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) {
    problems.push(`two elements have the id ${id}`);
  }
  let level = 0;
  for (const heading of document.querySelectorAll("h1, h2, h3, h4")) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1) problems.push(`a heading skips a level: ${describe(heading)}`);
    level = next;
  }

  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const pixel = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [red, green, blue, alpha] = canvas.getImageData(0, 0, 1, 1).data;
    return [red, green, blue, alpha / 255];
  };
  const over = ([r, g, b, alpha], below) =>
    [r, g, b].map((channel, index) => channel * alpha + below[index] * (1 - alpha));
  const background = (node) => {
    if (!node) return [255, 255, 255];
    const colour = pixel(getComputedStyle(node).backgroundColor);
    return colour[3] === 1 ? colour.slice(0, 3) : over(colour, background(node.parentElement));
  };
  const luminance = (colour) => {
    const [red, green, blue] = colour.map((channel) => {
      const share = channel / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const node = text.parentElement;
    const isOnPicture = node.closest(".art, .aside-text, .skip, .toast, noscript, script");
    if (!text.data.trim() || isOnPicture || !isShown(node)) continue;
    const style = getComputedStyle(node);
    const ground = background(node);
    const ink = over(pixel(style.color), ground);
    const [light, dark] = [luminance(ink), luminance(ground)].sort((a, b) => b - a);
    const ratio = (light + 0.05) / (dark + 0.05);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (ratio < (isLarge ? 3 : 4.5)) {
      problems.push(`contrast ${ratio.toFixed(2)}: "${text.data.trim().slice(0, 40)}"`);
    }
  }
  return problems;
};

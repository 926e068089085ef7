// An item's picture: its own, or a poster drawn from title and category when it has none.

import { drawing, element, styled } from "./dom.js";

// Paper, two shapes, an accent. A category keeps its palette, so a slate's taste shows as colour.
const PALETTES = [
  ["#e8d9c5", "#b4532a", "#2f4b4e", "#f0b75b"],
  ["#d7dccb", "#4d6b4f", "#233329", "#e0a04a"],
  ["#efd6d0", "#b5475f", "#2f3f63", "#f4b99a"],
  ["#f0dfae", "#c27a12", "#254f54", "#c0472b"],
  ["#cfe0e4", "#1f6580", "#12314a", "#ee8550"],
  ["#ddd3e6", "#62479a", "#2a1f45", "#f1b45c"],
  ["#cfe7dd", "#1f7f70", "#12403b", "#ee6f5c"],
  ["#d9d2c8", "#6d6459", "#26221d", "#d35f33"],
  ["#26304f", "#e9b24c", "#d9523a", "#8fa4d8"],
  ["#3a2440", "#ee8b5f", "#f3d878", "#8f5c96"],
  ["#1e3b36", "#e2c169", "#cf6748", "#7fae97"],
  ["#2b1a1c", "#d64a35", "#f1d3ab", "#84454a"],
];

/** Return the framed picture of an item. */
export function art(item, { eager = false, alt = "" } = {}) {
  const frame = element("span", { class: "art" });
  styled(frame, { "--art-tint": paletteOf(item)[0] });
  if (!item.image_url) {
    frame.append(poster(item));
    return frame;
  }
  const loading = eager ? "eager" : "lazy";
  const image = element("img", { src: item.image_url, alt, loading, decoding: "async" });
  image.classList.add("is-loading");
  image.addEventListener("load", () => image.classList.remove("is-loading"));
  image.addEventListener("error", () => image.replaceWith(poster(item)), { once: true });
  frame.append(image);
  return frame;
}

/** Play an item's clip over its picture; returns a function that stops it. */
export function playClip(frame, item) {
  const still = frame.querySelector("img");
  if (!item.clip_url || !still || matchMedia("(prefers-reduced-motion: reduce)").matches) {
    return () => {};
  }
  const isVideo = /\.(mp4|webm)(\?|$)/.test(item.clip_url);
  const clip = isVideo
    ? element("video", { src: item.clip_url, autoplay: true, loop: true, playsinline: true })
    : element("img", { src: item.clip_url, alt: "" });
  if (isVideo) clip.muted = true;
  clip.classList.add("is-loading");
  clip.addEventListener(isVideo ? "playing" : "load", () => clip.classList.remove("is-loading"));
  clip.addEventListener("error", () => clip.remove());
  frame.append(clip);
  return () => clip.remove();
}

function paletteOf(item) {
  return PALETTES[hash(item.category || item.title) % PALETTES.length];
}

function poster(item) {
  const seed = hash(`${item.title}/${item.item_id}`);
  const colours = paletteOf(item);
  const shapes = COMPOSITIONS[seed % COMPOSITIONS.length](colours, dice(seed));
  const paper = drawing("rect", { width: 400, height: 500, fill: colours[0] });
  const options = { viewBox: "0 0 400 500", preserveAspectRatio: "xMidYMid slice" };
  return drawing("svg", { ...options, "aria-hidden": "true" }, paper, ...shapes);
}

const COMPOSITIONS = [suns, arches, quarters, stripes, rings, hills, steps];

function suns([, main, dark, accent], next) {
  const y = 150 + next(120);
  return [
    circle(130 + next(140), y, 120 + next(40), accent),
    rectangle(0, y + 40, 400, 500, main),
    rectangle(0, y + 110 + next(40), 400, 500, dark),
  ];
}

function arches([, main, dark, accent], next) {
  const x = 140 + next(120);
  return [190, 130, 70].map((radius, index) => {
    const d = `M${x - radius} 500V300a${radius} ${radius} 0 0 1 ${radius * 2} 0V500z`;
    return drawing("path", { d, fill: [dark, main, accent][index] });
  });
}

function quarters([, ...colours], next) {
  const corners = ["M0 0h100a100 100 0 0 1-100 100z", "M100 0v100a100 100 0 0 1-100-100z"];
  corners.push("M100 100h-100a100 100 0 0 1 100-100z", "M0 100v-100a100 100 0 0 1 100 100z");
  return Array.from({ length: 20 }, (_, cell) => {
    const transform = `translate(${(cell % 4) * 100} ${Math.floor(cell / 4) * 100})`;
    return drawing("path", { d: corners[next(4)], transform, fill: colours[next(3)] });
  });
}

function stripes([, ...colours], next) {
  const lean = 20 + next(40);
  const bands = Array.from({ length: 6 }, (_, band) =>
    rectangle(-200, band * 120 - 60, 900, 26 + next(50), colours[band % 3]),
  );
  return [drawing("g", { transform: `rotate(${-lean} 200 250)` }, ...bands)];
}

function rings([, main, dark, accent], next) {
  const [x, y] = [80 + next(240), 100 + next(300)];
  return [330, 250, 180, 110, 50].map((radius, index) =>
    circle(x, y, radius, [dark, main, accent, dark, main][index]),
  );
}

function hills([, main, dark, accent], next) {
  const wave = (y, swing) =>
    `M0 ${y}C100 ${y - swing} 160 ${y + swing} 240 ${y}S360 ${y - swing} 400 ${y}V500H0z`;
  return [
    circle(90 + next(220), 110 + next(60), 46 + next(24), accent),
    drawing("path", { d: wave(270 + next(40), 60 + next(60)), fill: main }),
    drawing("path", { d: wave(370 + next(30), 40 + next(60)), fill: dark }),
  ];
}

function steps([, main, dark, accent], next) {
  const flip = next(2) ? "" : "translate(400 0) scale(-1 1)";
  const treads = Array.from({ length: 5 }, (_, tread) =>
    rectangle(tread * 80, 420 - tread * 80, 400, 500, [main, dark][tread % 2]),
  );
  return [circle(110 + next(60), 120, 60, accent), ...treads].map((shape) => {
    shape.setAttribute("transform", flip);
    return shape;
  });
}

function circle(cx, cy, r, fill) {
  return drawing("circle", { cx, cy, r, fill });
}

function rectangle(x, y, width, height, fill) {
  return drawing("rect", { x, y, width, height, fill });
}

/** Return the FNV-1a hash of a text: the same poster for the same item, everywhere. */
function hash(text) {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return value >>> 0;
}

function dice(seed) {
  let state = seed || 1;
  return (sides) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
    return ((state >>> 0) / 2 ** 32) * sides | 0;
  };
}

/**
 * The edge scorer's input rows, worked out from the block that attune/scorer_inputs.py packs; what
 * each number means is said in attune/features.py, and a test holds the two together.
 */

const DIMENSION = 64;
const CONTEXT_WIDTH = 6;
const CANDIDATE_WIDTH = 4;

/** Columns of a row: five of base score and session, the experience, the candidate's, the context's. */
export const WIDTH = 6 + CANDIDATE_WIDTH + CONTEXT_WIDTH;

/** Return {rows, count}: count x WIDTH float32, row-major. */
export function featureRows(block) {
  const { counts, shared, anchorCategories, own, categories, codes } = parts(block);
  const [count, anchors] = counts;
  const lengths = codeLengths(codes);
  const rows = new Float32Array(count * WIDTH);
  for (let place = 0; place < count; place += 1) {
    const code = (1 + anchors + place) * DIMENSION;
    const length = lengths[1 + anchors + place];
    let best = anchors > 0 ? -2 : 0;
    let latest = 0;
    let same = 0;
    for (let anchor = 1; anchor <= anchors; anchor += 1) {
      const cosine = dot(codes, code, anchor * DIMENSION) / (length * lengths[anchor]) || 0;
      if (anchor === 1) latest = cosine;
      if (cosine > best) best = cosine;
      if (anchorCategories[anchor - 1] === categories[place]) same += 1;
    }
    const row = place * WIDTH;
    rows[row] = own[place * (1 + CANDIDATE_WIDTH)];
    rows[row + 1] = dot(codes, code, 0) / (length * lengths[0]) || 0;
    rows[row + 2] = best;
    rows[row + 3] = latest;
    rows[row + 4] = anchors > 0 ? same / anchors : 0;
    rows[row + 5] = shared[0];
    for (let column = 0; column < CANDIDATE_WIDTH; column += 1)
      rows[row + 6 + column] = own[place * (1 + CANDIDATE_WIDTH) + 1 + column];
    for (let column = 0; column < CONTEXT_WIDTH; column += 1)
      rows[row + 6 + CANDIDATE_WIDTH + column] = shared[1 + column];
  }
  return { rows, count };
}

/** Return views into the block; anything but exactly one block is refused. */
function parts(block) {
  const buffer = block.byteOffset % 4 === 0 ? block.buffer : block.slice().buffer;
  let at = buffer === block.buffer ? block.byteOffset : 0;
  const take = (type, length) => {
    const view = new type(buffer, at, length);
    at += view.byteLength;
    return view;
  };
  const end = at + block.byteLength;
  const counts = take(Int32Array, 2);
  const [count, anchors] = counts;
  const shared = take(Float32Array, 1 + CONTEXT_WIDTH);
  const anchorCategories = take(Int32Array, anchors);
  const own = take(Float32Array, count * (1 + CANDIDATE_WIDTH));
  const categories = take(Int32Array, count);
  const codes = take(Int8Array, (1 + anchors + count) * DIMENSION);
  if (at !== end) throw new RangeError(`${block.byteLength} bytes are not the inputs of ${count}`);
  return { counts, shared, anchorCategories, own, categories, codes };
}

function dot(codes, a, b) {
  let sum = 0;
  for (let k = 0; k < DIMENSION; k += 1) sum += codes[a + k] * codes[b + k];
  return sum;
}

function codeLengths(codes) {
  const lengths = new Float64Array(codes.length / DIMENSION);
  for (let place = 0; place < lengths.length; place += 1)
    lengths[place] = Math.sqrt(dot(codes, place * DIMENSION, place * DIMENSION));
  return lengths;
}

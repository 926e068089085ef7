/** msgpack for what crosses between JavaScript and Python: JSON's values, and bytes. */

/** Deepest nesting that is written: nothing in the wire contract comes near it. */
const DEPTH_MAX = 32;

const utf8 = { encode: new TextEncoder(), decode: new TextDecoder() };

/** Return `value` as msgpack. Whole numbers stay whole; `undefined` entries are left out. */
export function pack(value) {
  const writer = { bytes: new Uint8Array(1024), view: null, length: 0, depth: 0 };
  writer.view = new DataView(writer.bytes.buffer);
  write(writer, value);
  return writer.bytes.slice(0, writer.length);
}

function reserve(writer, count) {
  const start = writer.length;
  writer.length += count;
  if (writer.length > writer.bytes.length) {
    const larger = new Uint8Array(2 * writer.length);
    larger.set(writer.bytes);
    writer.bytes = larger;
    writer.view = new DataView(larger.buffer);
  }
  return start;
}

function write(writer, value) {
  if (value === null || value === undefined) byte(writer, 0xc0);
  else if (typeof value === "boolean") byte(writer, value ? 0xc3 : 0xc2);
  else if (typeof value === "number") number(writer, value);
  else if (typeof value === "string")
    counted(writer, utf8.encode.encode(value), 0xa0, 31, [0xd9, 0xda, 0xdb]);
  else if (value instanceof Uint8Array) counted(writer, value, null, -1, [0xc4, 0xc5, 0xc6]);
  else nested(writer, value);
}

function nested(writer, value) {
  writer.depth += 1;
  if (writer.depth > DEPTH_MAX) throw new RangeError(`nested deeper than ${DEPTH_MAX}`);
  if (Array.isArray(value)) {
    head(writer, value.length, 0x90, 15, [null, 0xdc, 0xdd]);
    for (const entry of value) write(writer, entry);
  } else {
    const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
    head(writer, entries.length, 0x80, 15, [null, 0xde, 0xdf]);
    for (const [name, entry] of entries) {
      write(writer, name);
      write(writer, entry);
    }
  }
  writer.depth -= 1;
}

function byte(writer, value) {
  const at = reserve(writer, 1);
  writer.bytes[at] = value;
}

function number(writer, value) {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    if (value >= 0 && value < 128) return byte(writer, value);
    const at = reserve(writer, 9);
    writer.bytes[at] = 0xd3;
    return writer.view.setBigInt64(at + 1, BigInt(value));
  }
  const at = reserve(writer, 9);
  writer.bytes[at] = 0xcb;
  return writer.view.setFloat64(at + 1, value);
}

/** Write the length of something: in its own byte, or behind one of three markers. */
function head(writer, length, small, smallMax, [one, two, four]) {
  if (length <= smallMax) return byte(writer, small | length);
  if (one !== null && length < 0x100) {
    const at = reserve(writer, 2);
    writer.bytes[at] = one;
    writer.bytes[at + 1] = length;
  } else if (length < 0x10000) {
    const at = reserve(writer, 3);
    writer.bytes[at] = two;
    writer.view.setUint16(at + 1, length);
  } else {
    const at = reserve(writer, 5);
    writer.bytes[at] = four;
    writer.view.setUint32(at + 1, length);
  }
}

function counted(writer, bytes, small, smallMax, markers) {
  head(writer, bytes.length, small, smallMax, markers);
  const at = reserve(writer, bytes.length);
  writer.bytes.set(bytes, at);
}

/** Return the value in a msgpack message; its bytes are copies. */
export function unpack(bytes) {
  const reader = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    at: 0,
  };
  return read(reader);
}

function read(reader) {
  const tag = reader.bytes[reader.at];
  reader.at += 1;
  if (tag < 0x80) return tag;
  if (tag < 0x90) return map(reader, tag & 15);
  if (tag < 0xa0) return list(reader, tag & 15);
  if (tag < 0xc0) return text(reader, tag & 31);
  if (tag >= 0xe0) return tag - 256;
  const reading = READERS[tag];
  if (reading === undefined) throw new Error(`msgpack: unknown tag ${tag}`);
  return reading(reader);
}

const READERS = {
  0xc0: () => null,
  0xc2: () => false,
  0xc3: () => true,
  0xc4: (reader) => take(reader, unsigned(reader, 1)),
  0xc5: (reader) => take(reader, unsigned(reader, 2)),
  0xc6: (reader) => take(reader, unsigned(reader, 4)),
  0xcb: (reader) => {
    reader.at += 8;
    return reader.view.getFloat64(reader.at - 8);
  },
  0xcc: (reader) => unsigned(reader, 1),
  0xcd: (reader) => unsigned(reader, 2),
  0xce: (reader) => unsigned(reader, 4),
  0xcf: (reader) => {
    reader.at += 8;
    return Number(reader.view.getBigUint64(reader.at - 8));
  },
  0xd0: (reader) => signed(reader, 1),
  0xd1: (reader) => signed(reader, 2),
  0xd2: (reader) => signed(reader, 4),
  0xd3: (reader) => {
    reader.at += 8;
    return Number(reader.view.getBigInt64(reader.at - 8));
  },
  0xd9: (reader) => text(reader, unsigned(reader, 1)),
  0xda: (reader) => text(reader, unsigned(reader, 2)),
  0xdb: (reader) => text(reader, unsigned(reader, 4)),
  0xdc: (reader) => list(reader, unsigned(reader, 2)),
  0xdd: (reader) => list(reader, unsigned(reader, 4)),
  0xde: (reader) => map(reader, unsigned(reader, 2)),
  0xdf: (reader) => map(reader, unsigned(reader, 4)),
};

function unsigned(reader, size) {
  reader.at += size;
  if (size === 1) return reader.view.getUint8(reader.at - 1);
  return size === 2 ? reader.view.getUint16(reader.at - 2) : reader.view.getUint32(reader.at - 4);
}

function signed(reader, size) {
  reader.at += size;
  if (size === 1) return reader.view.getInt8(reader.at - 1);
  return size === 2 ? reader.view.getInt16(reader.at - 2) : reader.view.getInt32(reader.at - 4);
}

function take(reader, length) {
  reader.at += length;
  return reader.bytes.slice(reader.at - length, reader.at);
}

function text(reader, length) {
  reader.at += length;
  return utf8.decode.decode(reader.bytes.subarray(reader.at - length, reader.at));
}

function list(reader, length) {
  return Array.from({ length }, () => read(reader));
}

function map(reader, length) {
  return Object.fromEntries(Array.from({ length }, () => [read(reader), read(reader)]));
}

// Reads JSON where it lies, and writes strings. Whatever is broken reads as not there.
import { Bytes, same } from "./bytes";

const QUOTE: u8 = 0x22;
const BACKSLASH: u8 = 0x5c;
const DEEPEST = 64;

/** A value in a text of JSON; `absent` where there is none. */
export class Json {
  constructor(private data: Uint8Array, private start: i32, private end: i32) {}

  static parse(data: Uint8Array): Json {
    const start = blank(data, 0);
    const end = skip(data, start, 0);
    return end < 0 ? absent() : new Json(data, start, end);
  }

  get there(): bool {
    return this.end > this.start;
  }

  /** A member of an object. */
  get(name: string): Json {
    const data = this.data;
    if (!this.there || data[this.start] != 0x7b) return absent();
    let at = blank(data, this.start + 1);
    while (at < this.end && data[at] == QUOTE) {
      const close = skip(data, at, 0);
      const key = data.subarray(at + 1, close - 1);
      const start = blank(data, blank(data, close) + 1);
      const end = skip(data, start, 0);
      if (same(key, name)) return new Json(data, start, end);
      at = blank(data, end);
      if (data[at] != 0x2c) break;
      at = blank(data, at + 1);
    }
    return absent();
  }

  /** A string as UTF-8; empty for anything else. */
  text(): Uint8Array {
    if (!this.there || this.data[this.start] != QUOTE) return new Uint8Array(0);
    return unescaped(this.data.subarray(this.start + 1, this.end - 1));
  }

  /** A number as it is written; empty for anything else. */
  digits(): Uint8Array {
    if (!this.there) return new Uint8Array(0);
    const c = this.data[this.start];
    const number = c == 0x2d || (c >= 0x30 && c <= 0x39);
    return number ? this.data.slice(this.start, this.end) : new Uint8Array(0);
  }

  /** A whole number; -1 for anything else. */
  whole(): i32 {
    const digits = this.digits();
    if (digits.length == 0 || digits.length > 9) return -1;
    let value = 0;
    for (let i = 0; i < digits.length; i++) {
      if (digits[i] < 0x30 || digits[i] > 0x39) return -1;
      value = value * 10 + (digits[i] - 0x30);
    }
    return value;
  }
}

function absent(): Json {
  return new Json(new Uint8Array(0), 0, 0);
}

function blank(data: Uint8Array, at: i32): i32 {
  while (at < data.length) {
    const c = unchecked(data[at]);
    if (c != 0x20 && c != 0x09 && c != 0x0a && c != 0x0d) break;
    at++;
  }
  return at;
}

/** Where a value ends; -1 where it is broken. */
function skip(data: Uint8Array, at: i32, depth: i32): i32 {
  if (at < 0 || at >= data.length || depth > DEEPEST) return -1;
  const c = data[at];
  if (c == QUOTE) return skipString(data, at);
  if (c == 0x7b) return skipAll(data, at, depth, 0x7d, true);
  if (c == 0x5b) return skipAll(data, at, depth, 0x5d, false);
  let end = at;
  while (end < data.length && bare(data[end])) end++;
  return end > at ? end : -1;
}

/** Whether a character is of a number, `true`, `false` or `null`. */
function bare(c: u8): bool {
  return (
    (c >= 0x30 && c <= 0x39) || (c >= 0x61 && c <= 0x7a) ||
    c == 0x2b || c == 0x2d || c == 0x2e || c == 0x45
  );
}

function skipString(data: Uint8Array, at: i32): i32 {
  for (let i = at + 1; i < data.length; i++) {
    const c = unchecked(data[i]);
    if (c == BACKSLASH) i++;
    else if (c == QUOTE) return i + 1;
  }
  return -1;
}

function skipAll(data: Uint8Array, at: i32, depth: i32, close: u8, named: bool): i32 {
  at = blank(data, at + 1);
  if (at < data.length && data[at] == close) return at + 1;
  while (at < data.length) {
    if (named) {
      if (data[at] != QUOTE) return -1;
      at = skipString(data, at);
      if (at < 0) return -1;
      at = blank(data, at);
      if (at >= data.length || data[at] != 0x3a) return -1;
      at = blank(data, at + 1);
    }
    at = skip(data, at, depth + 1);
    if (at < 0) return -1;
    at = blank(data, at);
    if (at >= data.length) return -1;
    if (data[at] == close) return at + 1;
    if (data[at] != 0x2c) return -1;
    at = blank(data, at + 1);
  }
  return -1;
}

function unescaped(raw: Uint8Array): Uint8Array {
  const out = new Bytes();
  let at = 0;
  while (at < raw.length) {
    const c = unchecked(raw[at++]);
    if (c != BACKSLASH || at >= raw.length) {
      out.byte(c);
      continue;
    }
    const kind = raw[at++];
    if (kind == 0x75) {
      let point = hex4(raw, at);
      at += 4;
      const low = point >> 10 == 0x36 && at + 6 <= raw.length && raw[at] == BACKSLASH && raw[at + 1] == 0x75
        ? hex4(raw, at + 2)
        : -1;
      if (low >> 10 == 0x37) {
        point = 0x10000 + ((point & 0x3ff) << 10) + (low & 0x3ff);
        at += 6;
      }
      put(out, point < 0 || (point >= 0xd800 && point <= 0xdfff) ? 0xfffd : point);
    } else {
      out.byte(plainOf(kind));
    }
  }
  return out.take();
}

function plainOf(kind: u8): u8 {
  if (kind == 0x6e) return 0x0a;
  if (kind == 0x74) return 0x09;
  if (kind == 0x72) return 0x0d;
  if (kind == 0x62) return 0x08;
  if (kind == 0x66) return 0x0c;
  return kind;
}

/** Four hexadecimal digits; -1 for anything else. */
function hex4(raw: Uint8Array, at: i32): i32 {
  if (at + 4 > raw.length) return -1;
  let value = 0;
  for (let i = 0; i < 4; i++) {
    const c: i32 = raw[at + i];
    if (c >= 0x30 && c <= 0x39) value = (value << 4) | (c - 0x30);
    else if ((c | 32) >= 0x61 && (c | 32) <= 0x66) value = (value << 4) | ((c | 32) - 0x61 + 10);
    else return -1;
  }
  return value;
}

/** A character as UTF-8. */
function put(out: Bytes, point: i32): void {
  if (point < 0x80) {
    out.byte(point);
  } else if (point < 0x800) {
    out.byte(0xc0 | (point >> 6)).byte(0x80 | (point & 63));
  } else if (point < 0x10000) {
    out.byte(0xe0 | (point >> 12)).byte(0x80 | ((point >> 6) & 63)).byte(0x80 | (point & 63));
  } else {
    out.byte(0xf0 | (point >> 18)).byte(0x80 | ((point >> 12) & 63));
    out.byte(0x80 | ((point >> 6) & 63)).byte(0x80 | (point & 63));
  }
}

/** UTF-8 as a string of JSON. */
export function asJson(bytes: Uint8Array): Uint8Array {
  const out = new Bytes();
  out.byte(QUOTE);
  for (let i = 0; i < bytes.length; i++) {
    const c = unchecked(bytes[i]);
    if (c == QUOTE || c == BACKSLASH) out.byte(BACKSLASH).byte(c);
    else if (c == 0x0a) out.byte(BACKSLASH).byte(0x6e);
    else if (c < 0x20) out.text("\\u00").byte(0x30 + (c >> 4)).byte("0123456789abcdef".charCodeAt(c & 15));
    else out.byte(c);
  }
  return out.byte(QUOTE).take();
}

// Text as UTF-8 bytes: lyrics come and go as such, so nothing is gained by making strings of them.

/** Bytes that grow. */
export class Bytes {
  private held: Uint8Array = new Uint8Array(256);
  length: i32 = 0;

  private reserve(more: i32): void {
    if (this.length + more <= this.held.length) return;
    let size = this.held.length;
    while (size < this.length + more) size *= 2;
    const larger = new Uint8Array(size);
    memory.copy(larger.dataStart, this.held.dataStart, this.length);
    this.held = larger;
  }

  byte(value: i32): Bytes {
    this.reserve(1);
    unchecked((this.held[this.length++] = <u8>value));
    return this;
  }

  bytes(values: Uint8Array): Bytes {
    this.reserve(values.length);
    memory.copy(this.held.dataStart + this.length, values.dataStart, values.length);
    this.length += values.length;
    return this;
  }

  text(value: string): Bytes {
    return this.bytes(utf8(value));
  }

  take(): Uint8Array {
    return this.held.slice(0, this.length);
  }
}

export function utf8(text: string): Uint8Array {
  return Uint8Array.wrap(String.UTF8.encode(text));
}

export function same(bytes: Uint8Array, text: string): bool {
  if (bytes.length != text.length) return false;
  for (let i = 0; i < bytes.length; i++) {
    if (unchecked(bytes[i]) != text.charCodeAt(i)) return false;
  }
  return true;
}

function plainInUrl(c: u8): bool {
  return (
    (c >= 0x30 && c <= 0x39) ||
    (c >= 0x41 && c <= 0x5a) ||
    (c >= 0x61 && c <= 0x7a) ||
    c == 0x2d ||
    c == 0x2e ||
    c == 0x5f ||
    c == 0x7e
  );
}

function hexDigit(value: i32): i32 {
  return value < 10 ? 0x30 + value : 0x41 + value - 10;
}

/** Percent-encoded, for the query of a URL. */
export function quoted(bytes: Uint8Array): Uint8Array {
  const out = new Bytes();
  for (let i = 0; i < bytes.length; i++) {
    const c = unchecked(bytes[i]);
    if (plainInUrl(c)) out.byte(c);
    else out.byte(0x25).byte(hexDigit(c >> 4)).byte(hexDigit(c & 15));
  }
  return out.take();
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

export function toBase64(bytes: Uint8Array): Uint8Array {
  const out = new Bytes();
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    let bits: u32 = <u32>bytes[i] << 16;
    if (left > 1) bits |= <u32>bytes[i + 1] << 8;
    if (left > 2) bits |= <u32>bytes[i + 2];
    out.byte(DIGITS.charCodeAt((bits >> 18) & 63)).byte(DIGITS.charCodeAt((bits >> 12) & 63));
    out.byte(left > 1 ? DIGITS.charCodeAt((bits >> 6) & 63) : 0x3d);
    out.byte(left > 2 ? DIGITS.charCodeAt(bits & 63) : 0x3d);
  }
  return out.take();
}

function sixBits(c: u8): i32 {
  if (c >= 0x41 && c <= 0x5a) return c - 0x41;
  if (c >= 0x61 && c <= 0x7a) return c - 0x61 + 26;
  if (c >= 0x30 && c <= 0x39) return c - 0x30 + 52;
  if (c == 0x2b) return 62;
  if (c == 0x2f) return 63;
  return -1;
}

/** What is no digit of base64, such as padding and line ends, is passed over. */
export function fromBase64(text: Uint8Array): Uint8Array {
  const out = new Bytes();
  let bits: u32 = 0;
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const value = sixBits(unchecked(text[i]));
    if (value < 0) continue;
    bits = (bits << 6) | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.byte((bits >> count) & 255);
    }
  }
  return out.take();
}

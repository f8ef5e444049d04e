/** What a byte may be part of, as bits of `charClass`. */
export const tokenChar = 1;
/** Field values and reason phrases (RFC 9110 section 5.5): no control character but HTAB. */
export const valueChar = 2;
/** Request targets: anything visible but `#`; browsers send a good deal unencoded. */
export const targetChar = 4;
export const methodChar = 8;
export const underscore = 16;

/** The classes of each byte. */
export const charClass: Uint8Array = makeClasses();

/** The value of a hexadecimal digit, or 255. */
export const hexValue: Uint8Array = makeHexValues();

function makeClasses(): Uint8Array {
  const table = new Uint8Array(256);
  for (let code = 0; code < 256; code += 1) {
    let classes = 0;
    if (/[A-Za-z0-9!#$%&'*+\-.^_`|~]/.test(String.fromCharCode(code))) classes |= tokenChar;
    if (code === 0x09 || (code >= 0x20 && code !== 0x7f)) classes |= valueChar;
    if (code > 0x20 && code !== 0x7f && code !== 0x23) classes |= targetChar;
    if (/[A-Z\-_]/.test(String.fromCharCode(code))) classes |= methodChar;
    if (code === 0x5f) classes |= underscore;
    table[code] = classes;
  }
  return table;
}

function makeHexValues(): Uint8Array {
  const table = new Uint8Array(256).fill(255);
  for (let value = 0; value < 16; value += 1) {
    const digit = value.toString(16);
    table[digit.charCodeAt(0)] = value;
    table[digit.toUpperCase().charCodeAt(0)] = value;
  }
  return table;
}

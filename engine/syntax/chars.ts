/** Character classes of the lexer, by byte. */

export const ID_START = 1;
export const ID_PART = 2;
export const PATH_PART = 4;
export const URI_PART = 8;
export const SPACE = 16;
export const DIGIT = 32;
/** What may start an identifier, a number, a path or a URI: the characters that need the longest match of several rules. */
export const LETTER = 64;

export const CLASSES = new Uint8Array(256);

function mark(flag: number, chars: string): void {
  for (let index = 0; index < chars.length; index++) CLASSES[chars.charCodeAt(index)]! |= flag;
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const digits = "0123456789";
mark(LETTER, letters);
mark(ID_START, letters + "_");
mark(ID_PART, letters + digits + "_'-");
mark(PATH_PART, letters + digits + "._-+");
mark(URI_PART, letters + digits + "%/?:@&=+$,-_.!~*'");
mark(SPACE, " \t\r\n");
mark(DIGIT, digits);

/** The first offset from `offset` on whose byte is not of the class. */
export function skipClass(text: string, offset: number, flag: number): number {
  while (offset < text.length && (CLASSES[text.charCodeAt(offset)]! & flag) !== 0) offset++;
  return offset;
}

export function isClass(text: string, offset: number, flag: number): boolean {
  return offset < text.length && (CLASSES[text.charCodeAt(offset)]! & flag) !== 0;
}

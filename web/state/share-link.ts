/**
 * The link that holds a workspace: `#1/` and the base64url of its JSON, compressed with raw deflate. Whatever comes out of a link is
 * hostile text: everything is checked against limits here, and nothing of it is ever a path, a key or markup outside its workspace.
 */

import type { SourcePin } from "#workers/api.ts";
import { isSourceName } from "./source-name.ts";

/** What a link holds. Nothing else ever travels. */
export interface SharedWorkspace {
  title: string;
  entry: string;
  files: { path: string; text: string }[];
  /** Package sets that it uses: their names and hashes, not their contents. */
  sources: readonly SourcePin[];
  /** Which channel it was evaluated with: the first 16 hex digits of its archive's SHA-256. */
  channel: string;
  /** The top level's store path that the sender got; null when it did not evaluate. */
  expected: string | null;
  /** Labels of the sender's generations, ascending. */
  generations: string[];
}

/** Why a link cannot be opened, in words for the visitor. */
export class LinkError extends Error {
  override readonly name = "LinkError";
}

const VERSION = "1";
const MAX_LINK = 2_000_000;
const MAX_JSON = 4_000_000;
const MAX_FILES = 200;
const MAX_SOURCES = 20;
const SRI = /^sha256-[A-Za-z0-9+/]{43}=$/;
const WEB = /^https?:\/\/[^\s"<>]{1,2000}$/;
const FILE_NAME = /^(?!.*(?:^|\/)\.\.?(?:\/|$))[A-Za-z0-9_.+-]+(?:\/[A-Za-z0-9_.+-]+)*$/;
const STORE_PATH = /^\/nix\/store\/[0-9a-df-np-sv-z]{32}-[0-9A-Za-z+\-._?=]{1,211}$/;

/**
 * Whether a name may be a workspace file's: relative, without empty, `.` or `..` parts, in plain characters, and none that every
 * JavaScript object has (`__proto__`, `constructor`), since files are kept by name.
 */
export const isFileName = (path: string): boolean =>
  path.length <= 200 && FILE_NAME.test(path) && !(path in Object.prototype);

/** The fragment, beginning with `#`. */
export async function encodeLink(workspace: SharedWorkspace): Promise<string> {
  const { sources, ...rest } = workspace;
  const json = new TextEncoder().encode(JSON.stringify(sources.length === 0 ? rest : workspace));
  const packed = await collect(new Blob([json]).stream().pipeThrough(new CompressionStream("deflate-raw")), Infinity);
  return `#${VERSION}/${toBase64Url(packed)}`;
}

/** @throws LinkError saying what is wrong with it */
export async function decodeLink(fragment: string): Promise<SharedWorkspace> {
  const match = /^#?(\d+)\/([A-Za-z0-9_-]+)$/.exec(fragment);
  if (!match) throw new LinkError("This is not a Terrarium link, or a part of it was cut off.");
  const [, version, body] = match;
  if (version !== VERSION) throw new LinkError(`This link was made by a newer Terrarium (format ${version}).`);
  if (body.length > MAX_LINK) throw new LinkError("This link is too long to be opened.");
  return checkWorkspace(await unpack(body));
}

async function unpack(body: string): Promise<unknown> {
  try {
    const packed = new Blob([fromBase64Url(body)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await collect(packed, MAX_JSON)));
  } catch (error) {
    if (error instanceof LinkError) throw error;
    throw new LinkError("The link is damaged: some of its characters are missing or changed.");
  }
}

/** @throws LinkError; `what` is what it came in */
export function checkWorkspace(value: unknown, what = "link"): SharedWorkspace {
  const damaged = (why: string) => new LinkError(`The ${what} is damaged: ${why}.`);
  const record = isRecord(value) ? value : {};
  const text = (name: string, limit: number) => {
    const field = record[name];
    if (typeof field !== "string" || field.length > limit) throw damaged(`its ${name} is missing or too long`);
    return field;
  };
  const files = Array.isArray(record.files) ? record.files.map((file) => checkFile(file, damaged)) : [];
  if (files.length === 0 || files.length > MAX_FILES) throw damaged("it holds no files, or too many");
  if (new Set(files.map((file) => file.path)).size !== files.length) throw damaged("a file is in it twice");
  const sources = Array.isArray(record.sources) ? record.sources.map((pin) => checkSource(pin, damaged)) : [];
  if (sources.length > MAX_SOURCES || new Set(sources.map(({ name }) => name)).size !== sources.length)
    throw damaged("its package sets are too many, or one comes twice");
  const entry = text("entry", 200);
  if (!files.some((file) => file.path === entry)) throw damaged("the file to evaluate is not among its files");
  const expected = record.expected ?? null;
  if (expected !== null && !(typeof expected === "string" && STORE_PATH.test(expected))) {
    throw damaged("the store path it expects is not one");
  }
  const labels = Array.isArray(record.generations) ? record.generations.slice(0, 100) : [];
  const generations = labels.filter((label): label is string => typeof label === "string" && label.length <= 200);
  return { title: text("title", 200), entry, files, sources, channel: text("channel", 64), expected, generations };
}

function checkFile(value: unknown, damaged: (what: string) => LinkError): { path: string; text: string } {
  if (!isRecord(value) || typeof value.path !== "string" || typeof value.text !== "string") {
    throw damaged("one of its files has no name or no text");
  }
  if (!isFileName(value.path)) throw damaged("the name of a file is not allowed");
  return { path: value.path, text: value.text };
}

function checkSource(value: unknown, damaged: (what: string) => LinkError): SourcePin {
  const { name, narHash, url, nixpkgs } = isRecord(value) ? value : {};
  const address = url ?? null;
  if (typeof name !== "string" || !isSourceName(name)) throw damaged("the name of a package set is not allowed");
  if (typeof narHash !== "string" || !SRI.test(narHash)) throw damaged("a package set has no hash");
  if (address !== null && !(typeof address === "string" && WEB.test(address)))
    throw damaged("the address of a package set is not one");
  return { name, narHash, url: address, nixpkgs: nixpkgs === true };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** All bytes of a stream; a LinkError past the limit, so that a small link cannot fill the memory. */
async function collect(stream: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    size += piece.value.length;
    if (size > limit) {
      await reader.cancel();
      throw new LinkError("This link holds more than can be opened.");
    }
    parts.push(piece.value);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function toBase64Url(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

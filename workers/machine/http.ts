/**
 * HTTP/1 over one connection to a guest port: a request is printed, the response is read until its length, its last chunk, or the
 * connection's end says that it is whole. The guest's server is not trusted: sizes are capped, nothing it sends is executed here.
 */
import { concatBytes, fromBytes } from "#engine/store/format/bytes.ts";
import { MachineError } from "./errors.ts";
import type { HttpRequest, HttpResponse } from "./types.ts";

const newline = 0x0a;
const carriageReturn = 0x0d;
/** Most bytes of the status line and headers. */
const largestHead = 65_536;

/** The request's bytes. Header values that would begin a new line are refused. */
export function printRequest({ port, method = "GET", path, headers = [], body }: HttpRequest): Uint8Array {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: localhost:${port}`, "Connection: close"];
  for (const [name, value] of headers) if (!isOwnHeader(name)) lines.push(`${name}: ${value}`);
  if (body !== undefined) lines.push(`Content-Length: ${body.length}`);
  if (lines.some((line) => /[\r\n]/.test(line)) || /\s/.test(path) || !/^[A-Z]+$/.test(method)) {
    throw new MachineError("refused", "a malformed HTTP request");
  }
  const head = new TextEncoder().encode(`${lines.join("\r\n")}\r\n\r\n`);
  return body === undefined ? head : concatBytes([head, body]);
}

/** Headers this side sets itself: the connection is used once, and compressed answers would have to be unpacked. */
function isOwnHeader(name: string): boolean {
  return ["host", "connection", "content-length", "accept-encoding", "transfer-encoding"].includes(name.toLowerCase());
}

interface Head {
  status: number;
  statusText: string;
  headers: [name: string, value: string][];
  /** Where the body begins. */
  length: number;
}

/** Takes a response piece by piece. */
export class ResponseReader {
  readonly #limit: number;
  readonly #hasBody: boolean;
  #received = new Uint8Array(0);
  #length = 0;
  #head: Head | undefined;
  readonly #chunks = new ChunkReader();

  /** `limit` caps the body as it travels; `method` HEAD has none. */
  constructor(limit: number, method = "GET") {
    this.#limit = limit;
    this.#hasBody = method !== "HEAD";
  }

  /** The response, once it is whole. @throws MachineError "too-large", "protocol" */
  push(bytes: Uint8Array): HttpResponse | undefined {
    this.#append(bytes);
    // Only a line's end can end the headers: a server that dribbles bytes must not make this side read them all each time.
    if (bytes.includes(newline)) this.#head ??= this.#readHead();
    if (this.#head === undefined) {
      if (this.#length > largestHead) throw new MachineError("protocol", "no end of the HTTP headers");
      return undefined;
    }
    if (this.#length - this.#head.length > this.#limit)
      throw new MachineError("too-large", "the response is too large");
    return this.#complete(this.#head, false);
  }

  /** The connection has ended: what there is must be the response. */
  end(): HttpResponse {
    const response = this.#head === undefined ? undefined : this.#complete(this.#head, true);
    if (response === undefined) throw new MachineError("protocol", "the connection ended inside the HTTP response");
    return response;
  }

  #append(bytes: Uint8Array): void {
    const end = this.#length + bytes.length;
    if (end > this.#received.length) {
      const larger = new Uint8Array(Math.max(end, this.#received.length * 2, 4096));
      larger.set(this.#received.subarray(0, this.#length));
      this.#received = larger;
    }
    this.#received.set(bytes, this.#length);
    this.#length = end;
  }

  /** Interim answers (1xx) are passed over. */
  #readHead(): Head | undefined {
    for (let start = 0; ;) {
      const text = fromBytes(this.#received, start, Math.min(this.#length, start + largestHead));
      const end = text.search(/\r?\n\r?\n/);
      if (end < 0) return undefined;
      const length = start + end + /\r?\n\r?\n/.exec(text)![0].length;
      const head = parseHead(text.slice(0, end), length);
      if (head.status >= 200 || head.status === 101) return head;
      start = length;
    }
  }

  #complete(head: Head, ended: boolean): HttpResponse | undefined {
    const body = this.#received.subarray(head.length, this.#length);
    const { status, statusText, headers } = head;
    const response = (content: Uint8Array): HttpResponse => ({ status, statusText, headers, body: content.slice() });
    if (!this.#hasBody || status === 204 || status === 304) return response(new Uint8Array(0));
    if (/\bchunked\b/i.test(header(head, "transfer-encoding") ?? "")) {
      const content = this.#chunks.read(body);
      return content === undefined ? undefined : response(content);
    }
    const length = header(head, "content-length");
    if (length === undefined) return ended ? response(body) : undefined;
    if (!/^\d+$/.test(length)) throw new MachineError("protocol", "a malformed Content-Length");
    if (Number(length) > this.#limit) throw new MachineError("too-large", "the response is too large");
    return body.length < Number(length) ? undefined : response(body.subarray(0, Number(length)));
  }
}

function header(head: Head, name: string): string | undefined {
  return head.headers.find(([key]) => key === name)?.[1];
}

function parseHead(text: string, length: number): Head {
  const [first = "", ...lines] = text.split(/\r?\n/);
  const match = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(first);
  if (match === null) throw new MachineError("protocol", "not an HTTP response");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    if (colon < 1) throw new MachineError("protocol", "a malformed HTTP header");
    return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { status: Number(match[1]), statusText: match[2] ?? "", headers, length };
}

/** Goes through a chunked body that grows, each chunk once. */
class ChunkReader {
  readonly #parts: Uint8Array[] = [];
  #at = 0;

  /** The content, undefined while the last chunk has not come. `body` is what came so far, from its beginning. */
  read(body: Uint8Array): Uint8Array | undefined {
    for (;;) {
      const line = body.subarray(this.#at, this.#at + 1024);
      const end = line.indexOf(newline);
      if (end < 0) return undefined;
      const size = /^([0-9a-fA-F]{1,8})\s*(?:;.*)?\r?$/.exec(fromBytes(line, 0, end));
      if (size === null) throw new MachineError("protocol", "a malformed chunk");
      const length = Number.parseInt(size[1]!, 16);
      const start = this.#at + end + 1;
      if (length === 0) return concatBytes(this.#parts);
      if (start + length + 2 > body.length) return undefined;
      this.#parts.push(body.slice(start, start + length));
      this.#at = start + length;
      if (body[this.#at] === carriageReturn) this.#at++;
      if (body[this.#at] === newline) this.#at++;
    }
  }
}

/**
 * `terrarium serve`: a store, or a directory that is a binary cache already, as a binary cache over HTTP that browsers may
 * read (CORS). NARs are made when they are asked for and come uncompressed, so nothing is kept twice.
 */
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { printCacheInfo, printNarInfo } from "#engine/store/format/narinfo.ts";
import { type SecretKey, signInfo } from "#engine/store/format/signature.ts";
import { hashPartOf } from "#engine/store/format/store-path.ts";
import type { Store } from "#engine/store/store.ts";

export interface ServeOptions {
  readonly port: number;
  readonly host: string;
  /** Signs every path that is served. */
  readonly key?: SecretKey;
}

export interface Served {
  readonly url: string;
  close(): Promise<void>;
}

type Reply = {
  readonly type: string;
  readonly body: Uint8Array | string | AsyncIterable<Uint8Array>;
  readonly size?: number;
  /** Names the version of the content: what may be gone on with after a cut. */
  readonly tag?: string;
};
type Handler = (name: string) => Promise<Reply | undefined> | Reply | undefined;

/** Serves a store's valid paths. */
export function serveStore(store: Store, options: ServeOptions): Promise<Served> {
  return serve(storeHandler(store, options.key), options);
}

/** Serves a binary cache's files as they lie in a directory. */
export function serveDirectory(directory: string, options: ServeOptions): Promise<Served> {
  const root = path.resolve(directory);
  return serve((name) => fileReply(root, name), options);
}

function storeHandler(store: Store, key: SecretKey | undefined): Handler {
  return async (name) => {
    await store.refresh();
    if (name === "nix-cache-info") {
      return {
        type: "text/x-nix-cache-info",
        body: printCacheInfo({ storeDir: store.storeDir, wantMassQuery: true, priority: 30 }),
      };
    }
    const match = /^(?:nar\/)?([0-9a-z]{32})(?:\.narinfo|\.nar)$/.exec(name);
    const storePath = match?.[1] === undefined ? undefined : store.index.byHashPart(match[1]);
    if (storePath === undefined) return undefined;
    const info = store.requireInfo(storePath);
    if (name.startsWith("nar/"))
      return {
        type: "application/x-nix-nar",
        body: store.nar(storePath),
        size: info.narSize,
        tag: `"${info.narHash}"`,
      };
    const signatures = key === undefined ? info.signatures : [...new Set([...info.signatures, signInfo(info, key)])];
    const url = `nar/${hashPartOf(storePath)}.nar`;
    const text = printNarInfo({
      info: { ...info, signatures },
      url,
      compression: "none",
      fileHash: info.narHash,
      fileSize: info.narSize,
    });
    return { type: "text/x-nix-narinfo", body: text };
  };
}

function fileReply(root: string, name: string): Reply | undefined {
  const file = path.join(root, name);
  if (!file.startsWith(root + path.sep) || !fs.existsSync(file) || !fs.statSync(file).isFile()) return undefined;
  const type = name.endsWith(".narinfo") ? "text/x-nix-narinfo" : "application/octet-stream";
  const { size, mtimeMs } = fs.statSync(file);
  return { type, body: fs.createReadStream(file), size, tag: `"${size}-${mtimeMs}"` };
}

function serve(handler: Handler, { port, host }: ServeOptions): Promise<Served> {
  const server = http.createServer((request, response) => {
    answer(handler, request, response).catch(() => response.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      const address = server.address();
      const actual = typeof address === "object" && address !== null ? address.port : port;
      const close = () => new Promise<void>((done) => void server.close(() => done()));
      resolve({ url: `http://${host}:${actual}`, close });
    });
  });
}

async function answer(handler: Handler, request: http.IncomingMessage, response: http.ServerResponse): Promise<void> {
  response.setHeader("Access-Control-Allow-Origin", "*");
  response.setHeader("Cross-Origin-Resource-Policy", "cross-origin");
  if (request.method !== "GET" && request.method !== "HEAD") return end(response, 405);
  const name = decodeURIComponent((request.url ?? "/").replace(/\?.*$/, "").slice(1));
  const reply = await handler(name);
  if (reply === undefined) return end(response, 404);
  response.setHeader("Content-Type", reply.type);
  const size = typeof reply.body === "string" ? Buffer.byteLength(reply.body) : reply.size;
  if (reply.tag !== undefined) response.setHeader("ETag", reply.tag);
  const from = size === undefined || reply.tag === undefined ? undefined : rangeStart(request, size, reply.tag);
  if (from !== undefined && typeof reply.body === "object") return sendRest(response, reply.body, from, size as number);
  if (size !== undefined) response.setHeader("Content-Length", size);
  if (request.method === "HEAD" || typeof reply.body === "string" || reply.body instanceof Uint8Array) {
    response.end(request.method === "HEAD" ? undefined : reply.body);
    return undefined;
  }
  for await (const piece of reply.body) {
    if (!response.write(piece)) await new Promise((resume) => response.once("drain", resume));
  }
  response.end();
  return undefined;
}

/** Where a download that was cut goes on, when it is of the same version. */
function rangeStart({ headers, method }: http.IncomingMessage, size: number, tag: string): number | undefined {
  const from = Number(/^bytes=([0-9]+)-$/.exec(headers.range ?? "")?.[1] ?? Number.NaN);
  if (method !== "GET" || (headers["if-range"] ?? tag) !== tag) return undefined;
  return from < size ? from : undefined;
}

async function sendRest(
  response: http.ServerResponse,
  body: Uint8Array | AsyncIterable<Uint8Array>,
  from: number,
  size: number,
): Promise<void> {
  response.statusCode = 206;
  response.setHeader("Content-Range", `bytes ${from}-${size - 1}/${size}`);
  response.setHeader("Content-Length", size - from);
  let skip = from;
  for await (const piece of body instanceof Uint8Array ? [body] : body) {
    const rest = piece.subarray(Math.min(skip, piece.length));
    skip -= piece.length - rest.length;
    if (rest.length > 0 && !response.write(rest)) await new Promise((resume) => response.once("drain", resume));
  }
  response.end();
}

function end(response: http.ServerResponse, status: number): void {
  response.statusCode = status;
  response.end();
}

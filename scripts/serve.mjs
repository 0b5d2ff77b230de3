// The static server behind `npm start` and the end-to-end tests: dist/ with the headers of headers.json, path by path.
// `--bare` leaves the headers out, as a host without any configuration would.
import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { root } from "./ensure.mjs";

const types = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".webmanifest": "application/manifest+json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".wasm": "application/wasm",
};
const compressible = new Set([".bin", ".html", ".js", ".css", ".json", ".svg", ".wasm", ".webmanifest"]);
const rules = JSON.parse(readFileSync(path.join(root, "headers.json"), "utf8")).map((rule) => ({
  ...rule,
  path: new RegExp(rule.path),
}));

/** The headers a path gets: those of every rule whose pattern it matches. */
export const headersFor = (pathname) =>
  Object.assign({}, ...rules.filter((rule) => rule.path.test(pathname)).map((rule) => rule.headers));

const compressors = {
  br: (bytes) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 6 } }),
  gzip: (bytes) => promisify(gzip)(bytes),
};
/** Compressed contents by encoding, file and time of change: the editor alone is megabytes. */
const compressed = new Map();

/** What the build compressed beforehand is better than what there is time for here. */
function compress(file, encoding) {
  if (encoding === "br" && existsSync(`${file}.br`)) return readFile(`${file}.br`);
  const key = `${encoding} ${file} ${statSync(file).mtimeMs}`;
  if (!compressed.has(key)) compressed.set(key, readFile(file).then(compressors[encoding]));
  return compressed.get(key);
}

function fileFor(folder, pathname) {
  const file = path.join(folder, path.normalize(decodeURIComponent(pathname)));
  if (file !== folder && !file.startsWith(folder + path.sep)) return undefined;
  const target = existsSync(file) && statSync(file).isDirectory() ? path.join(file, "index.html") : file;
  return existsSync(target) ? target : undefined;
}

/** Starts the server; resolves to it once it listens. `port` 0 takes a free one. `sent` of the server tells what went out: path and bytes. */
export function serve({ port = 0, host = "127.0.0.1", bare = false, folder = path.join(root, "dist") } = {}) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const file = fileFor(folder, pathname);
    if (!file) return response.writeHead(404, { "Content-Type": "text/plain" }).end("Not found\n");
    const extension = path.extname(file);
    const headers = {
      "Content-Type": types[extension] ?? "application/octet-stream",
      ...(bare ? {} : headersFor(pathname)),
    };
    const accepted = compressible.has(extension) ? String(request.headers["accept-encoding"] ?? "") : "";
    const encoding = accepted.includes("br") ? "br" : accepted.includes("gzip") ? "gzip" : undefined;
    const answered = (bytes) => server.sent.push([pathname, bytes]);
    if (!encoding) {
      answered(statSync(file).size);
      response.writeHead(200, { ...headers, "Content-Length": statSync(file).size });
      return createReadStream(file).pipe(response);
    }
    const body = await compress(file, encoding);
    answered(body.length);
    return response
      .writeHead(200, { ...headers, "Content-Encoding": encoding, "Content-Length": body.length })
      .end(body);
  });
  server.sent = [];
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve(server));
  });
}

if (process.argv[1] === path.join(root, "scripts/serve.mjs")) {
  const option = (name, otherwise) => {
    const at = process.argv.indexOf(name);
    return at < 0 ? otherwise : process.argv[at + 1];
  };
  const server = await serve({ port: Number(option("--port", "4173")), bare: process.argv.includes("--bare") });
  console.log(`http://127.0.0.1:${server.address().port}/`);
}

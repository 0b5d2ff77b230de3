/** Downloads from a server that cuts, refuses for a while, or has nothing. */
import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { download, openCacheFiles } from "./cache-files.ts";

const CONTENT = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251));

/** The Range of each request. */
const asked: (string | undefined)[] = [];
let running = 0;
let most = 0;

/** "/cut" breaks each answer off after 40,000 bytes; "/changed" is another file each time; "/busy" has an error twice. */
const server = http.createServer((request, response) => {
  asked.push(request.headers.range);
  const path = request.url ?? "";
  if (path === "/none") return void response.writeHead(404).end();
  if (path === "/refused") return void response.writeHead(400).end();
  if (path === "/busy" && asked.length < 3) return void response.writeHead(503).end();
  if (path.startsWith("/slow")) return slowly(response);
  const from = path === "/cut" ? Number(/\d+/.exec(request.headers.range ?? "0")?.[0]) : 0;
  const rest = CONTENT.subarray(from);
  const tag = path === "/changed" ? `"${asked.length}"` : '"one"';
  const range = from > 0 ? { "Content-Range": `bytes ${from}-${CONTENT.length - 1}/${CONTENT.length}` } : {};
  response.writeHead(from > 0 ? 206 : 200, { ETag: tag, "Content-Length": rest.length, ...range });
  const cuts = path === "/cut" ? rest.length > 40_000 : path === "/changed" && asked.length < 3;
  if (!cuts) return void response.end(rest);
  response.write(rest.subarray(0, 40_000), () => setTimeout(() => response.destroy(), 20));
});

function slowly(response: http.ServerResponse): void {
  most = Math.max(most, ++running);
  setTimeout(() => {
    running--;
    response.end("x");
  }, 30);
}

beforeAll(() => new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve)));
afterAll(() => void server.close());

const address = (name: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/${name}`;

async function check(name: string, ranges: (string | undefined)[]): Promise<void> {
  asked.length = 0;
  expect(Buffer.from((await download(address(name))) as Uint8Array).equals(CONTENT)).toBe(true);
  expect(asked).toEqual(ranges);
}

const [second, third] = ["bytes=40000-", "bytes=80000-"];
test("a download that is cut goes on where it stopped", () => check("cut", [undefined, second, third]));
test("a file that has changed since is fetched anew", () => check("changed", [undefined, second, second]));
test("a server in trouble is asked again", () => check("busy", [undefined, undefined, undefined]));
test("what is not there is not asked for again", async () => {
  asked.length = 0;
  expect(await download(address("none"))).toBe(undefined);
  expect(asked.length).toBe(1);
});
test("a refusal is an error at once", async () => {
  asked.length = 0;
  await expect(download(address("refused"))).rejects.toThrow(/^unable to download 'http.*': HTTP error 400$/);
  expect(asked.length).toBe(1);
});
test("no more than 25 requests at a time", async () => {
  const cache = openCacheFiles(address("").slice(0, -1));
  await Promise.all(Array.from({ length: 60 }, (_, index) => cache?.read(`slow${index}`)));
  expect(most).toBe(25);
});

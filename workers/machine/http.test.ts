/** HTTP responses whole, in pieces of every size, and damaged. */
import { describe, expect, it } from "vitest";
import { fromBytes, toBytes } from "#engine/store/format/bytes.ts";
import { ResponseReader, printRequest } from "./http.ts";

/** Reads the text in pieces of 1, 7 and all bytes; `status headers|body` each time, or the error's code. */
function read(text: string, limit = 1000, method = "GET"): string {
  const results = [1, 7, text.length].map((size) => readPieces(text, size, limit, method));
  expect(new Set(results).size).toBe(1);
  return results[0]!;
}

function readPieces(text: string, size: number, limit: number, method: string): string {
  const reader = new ResponseReader(limit, method);
  try {
    for (let at = 0; at < text.length; at += size) {
      const response = reader.push(toBytes(text.slice(at, at + size)));
      if (response !== undefined) return show(response);
    }
    return show(reader.end());
  } catch (error) {
    return (error as { code: string }).code;
  }
}

function show({ status, statusText, headers, body }: ReturnType<ResponseReader["end"]>): string {
  return `${status} ${statusText} ${headers.map((pair) => pair.join("=")).join(",")}|${fromBytes(body)}`;
}

function check(name: string, text: string, expected: string, limit?: number, method?: string): void {
  it(name, () => expect(read(text, limit, method)).toBe(expected));
}

describe("a response", () => {
  check("with a length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef", "200 OK content-length=3|abc");
  check("to the end of the connection", "HTTP/1.0 200 OK\r\nA: b\r\n\r\nabcdef", "200 OK a=b|abcdef");
  check("empty to the end", "HTTP/1.0 200 OK\r\n\r\n", "200 OK |");
  check("with bare newlines", "HTTP/1.0 404 Not Found\nA: b\n\nx", "404 Not Found a=b|x");
  check("without a reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "200  content-length=0|");
  check(
    "in chunks",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
    "200 OK transfer-encoding=chunked|abcde",
  );
  check("without a body by its status", "HTTP/1.1 304 Not Modified\r\n\r\n", "304 Not Modified |");
  check("to HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "200 OK content-length=5|", 1000, "HEAD");
  check(
    "after an interim one",
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
    "200 OK content-length=1|x",
  );
  check(
    "keeps repeated headers",
    "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n",
    "200 OK set-cookie=a,set-cookie=b|",
  );
  check("cut short", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "protocol");
  check("cut inside a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc", "protocol");
  check("that is none", "SSH-2.0-dropbear\r\n\r\n", "protocol");
  check("with a broken header", "HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "protocol");
  check("with a broken chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "protocol");
  check("with a broken length", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "protocol");
  check("that announces too much", "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n", "too-large", 10);
  check("that never ends its headers", `HTTP/1.1 200 OK\r\nA: ${"x".repeat(70_000)}`, "protocol");
  it("that sends too much", () =>
    expect(readPieces(`HTTP/1.1 200 OK\r\n\r\n${"x".repeat(99)}`, 200, 10, "GET")).toBe("too-large"));
});

describe("a request", () => {
  const print = (...args: Parameters<typeof printRequest>) => fromBytes(printRequest(...args));
  it("names the host and closes", () =>
    expect(print({ port: 80, path: "/a?b" })).toBe(
      "GET /a?b HTTP/1.1\r\nHost: localhost:80\r\nConnection: close\r\n\r\n",
    ));
  it("carries a body", () =>
    expect(print({ port: 8, method: "POST", path: "/", body: toBytes("xy") })).toMatch(/Content-Length: 2\r\n\r\nxy$/));
  it("keeps its own headers", () =>
    expect(
      print({
        port: 8,
        path: "/",
        headers: [
          ["Host", "evil"],
          ["Accept-Encoding", "br"],
          ["X", "y"],
        ],
      }),
    ).toMatch(/close\r\nX: y\r\n\r\n$/));
  const refuse = (request: Parameters<typeof printRequest>[0]) =>
    expect(() => printRequest(request)).toThrow("malformed");
  it("takes no line break in a header", () => refuse({ port: 8, path: "/", headers: [["X", "y\r\nZ: w"]] }));
  it("takes no blank in a path", () => refuse({ port: 8, path: "/ HTTP/1.1" }));
  it("takes no odd method", () => refuse({ port: 8, method: "GET /x", path: "/" }));
});

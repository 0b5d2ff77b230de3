import { describe, expect, it } from "vitest";
import { guestPath, plainDocument } from "./guest-document.ts";

describe("guestPath", () => {
  it.each([
    ["/a", "/", "/a"],
    ["b", "/a/index.html", "/a/b"],
    ["../c?d=1#e", "/a/b/", "/a/c?d=1"],
    ["", "/x", "/x"],
    ["https://example.org/", "/", null],
    ["//example.org/", "/", null],
    ["javascript:alert(1)", "/", null],
    ["data:text/html,x", "/", null],
    ["http://[", "/", null],
    [":8080", "/", ":8080/"],
    [":8080/a?b", "/x", ":8080/a?b"],
    ["c", ":8080/a/b", ":8080/a/c"],
    ["http://localhost:3000/x", "/", ":3000/x"],
    ["http://127.0.0.1/x", ":3000/", ":80/x"],
    ["https://localhost/x", "/", null],
  ])("%s from %s", (address, at, expected) => expect(guestPath(address, at)).toBe(expected));
});

describe("plainDocument", () => {
  it("shows markup as text", () => expect(plainDocument("<b>&")).toContain("&lt;b>&amp;</pre>"));
});

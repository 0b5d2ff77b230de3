/** Round trips of every format, vectors of the oracle, and damaged inputs: refused, never half read. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBase16, decodeBase64, decodeNix32, encodeBase16, encodeBase64, encodeNix32 } from "./base-n.ts";
import { decodeUtf8, encodeUtf8, fromBytes, isUtf8, toBytes } from "./bytes.ts";
import { type Derivation, parseDerivation, printDerivation } from "./derivation.ts";
import { derivationFromJson, derivationToJson } from "./derivation-json.ts";
import { ed25519PublicKey, ed25519Sign, ed25519Verify } from "./ed25519.ts";
import { exportGrammar } from "./export.ts";
import { FormatError } from "./error.ts";
import { type HashAlgorithm, hashHex, parseHash, printHash } from "./hash.ts";
import { PieceReader, decodeNar, encodeNar, hashNar, narGrammar, narPieces, narSize, readWhole } from "./nar.ts";
import { type NarInfo, parseNarInfo, printNarInfo } from "./narinfo.ts";
import { checkSignature, parsePublicKey, parseSecretKey, printPublicKey, publicKeyOf, signInfo } from "./signature.ts";
import { type SourceTree, directory, isEntryName, regularFile, symlink } from "./tree.ts";

const bytes = fc.uint8Array({ maxLength: 80 });
const byteString = fc.uint8Array({ maxLength: 20 }).map((array) => fromBytes(array));
const entryName = byteString.filter(isEntryName);
const target = byteString.filter((text) => text !== "" && !text.includes("\0"));

const tree: fc.Arbitrary<SourceTree> = fc.letrec<{ tree: SourceTree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.tuple(bytes, fc.boolean()).map(([contents, executable]) => regularFile(contents, executable)),
    target.map(symlink),
    fc
      .uniqueArray(fc.tuple(entryName, tie("tree")), { selector: ([name]) => name, maxLength: 4 })
      .map((entries) => directory<{ contents: Uint8Array }>(entries)),
  ),
})).tree;

function property<Values>(name: string, check: fc.IRawProperty<Values>): void {
  test(name, () => fc.assert(check, { numRuns: 200 }));
}

property(
  "base16",
  fc.property(bytes, (b) => void expect(decodeBase16(encodeBase16(b))).toEqual(b)),
);
property(
  "nix32",
  fc.property(bytes, (b) => void expect(decodeNix32(encodeNix32(b))).toEqual(b)),
);
property(
  "base64",
  fc.property(bytes, (b) => void expect(decodeBase64(encodeBase64(b))).toEqual(b)),
);
property(
  "byte strings",
  fc.property(bytes, (b) => void expect(toBytes(fromBytes(b))).toEqual(b)),
);
property(
  "UTF-8",
  fc.property(fc.string({ unit: "binary" }), (text) => {
    const encoded = encodeUtf8(text);
    expect(fromBytes(new TextEncoder().encode(text))).toBe(encoded);
    expect(isUtf8(encoded)).toBe(true);
  }),
);
property(
  "malformed UTF-8 is decoded as TextDecoder does",
  fc.property(bytes, (b) => {
    expect(decodeUtf8(fromBytes(b))).toBe(new TextDecoder("utf-8", { ignoreBOM: true }).decode(b));
  }),
);
property(
  "NAR",
  fc.property(tree, (t) => {
    const nar = encodeNar(t);
    expect(decodeNar(nar)).toEqual(t);
    expect(narSize(t, ({ contents }) => contents.length)).toBe(nar.length);
    expect(hashNar(t).size).toBe(nar.length);
  }),
);
property(
  "NAR in pieces",
  fc.property(tree, fc.integer({ min: 1, max: 40 }), (t, size) => {
    const nar = encodeNar(t);
    const reader = new PieceReader(narGrammar((contents) => ({ contents: contents.slice() })));
    for (let at = 0; at < nar.length; at += size) reader.push(nar.slice(at, at + size));
    expect(encodeNar(reader.finish())).toEqual(nar);
    let length = 0;
    for (const piece of narPieces(t, ({ contents }) => contents.length)) {
      length += "bytes" in piece ? piece.bytes.length : piece.file.contents.length;
    }
    expect(length).toBe(nar.length);
  }),
);
property(
  "a NAR with one byte changed is another tree or refused",
  fc.property(tree, fc.nat(), fc.integer({ min: 1, max: 255 }), (t, place, change) => {
    const nar = encodeNar(t);
    const at = place % nar.length;
    nar[at] = (nar[at] as number) ^ change;
    refusedOr(() => expect(encodeNar(decodeNar(nar))).toEqual(nar));
  }),
);
property(
  "a NAR cut short is refused",
  fc.property(tree, fc.nat(), (t, cut) => {
    const nar = encodeNar(t);
    expect(() => decodeNar(nar.subarray(0, cut % nar.length))).toThrow(FormatError);
  }),
);

const text = fc.record({ text: byteString }).map(({ text }) => text);
const derivation: fc.Arbitrary<Derivation> = fc.record({
  outputs: fc.constantFrom(
    new Map([["out", { path: "/nix/store/00000000000000000000000000000000-a", hashAlgorithm: "", hash: "" }]]),
    new Map([["out", { path: "", hashAlgorithm: "r:sha256", hash: "" }]]),
    new Map([["out", { path: "", hashAlgorithm: "", hash: "" }]]),
    new Map([["out", { path: "", hashAlgorithm: "sha256", hash: "impure" }]]),
    new Map([
      ["out", { path: "/nix/store/sqfqwal2rr559hnjxbns9zz67h9yq8va-n", hashAlgorithm: "sha256", hash: "0".repeat(64) }],
    ]),
  ),
  inputDerivations: fc.constant(
    new Map([["/nix/store/00000000000000000000000000000000-b.drv", { outputs: ["dev", "out"] }]]),
  ),
  inputSources: fc.constantFrom([], ["/nix/store/00000000000000000000000000000000-c"]),
  system: text,
  builder: text,
  args: fc.array(text),
  env: fc.dictionary(byteString, byteString).map((object) => {
    return new Map(
      Object.entries(object)
        .filter(([key]) => key !== "__json")
        .sort((a, b) => (a[0] < b[0] ? -1 : 1)),
    );
  }),
});

property(
  "ATerm",
  fc.property(derivation, (d) => void expect(parseDerivation(printDerivation(d))).toEqual(d)),
);
property(
  "derivation JSON",
  fc.property(derivation, (d) => {
    expect(printDerivation(derivationFromJson(derivationToJson(d, "n")).derivation)).toBe(printDerivation(d));
  }),
);
property(
  "a derivation with one char changed never crashes",
  fc.property(derivation, fc.nat(), fc.nat(255), (d, place, char) => {
    const whole = printDerivation(d);
    const at = place % whole.length;
    refusedOr(() => void parseDerivation(whole.slice(0, at) + String.fromCharCode(char) + whole.slice(at + 1)));
  }),
);

function refusedOr(body: () => void): void {
  try {
    body();
  } catch (error) {
    expect(error).toBeInstanceOf(FormatError);
  }
}

const nar = (...texts: (string | SourceTree)[]) => {
  const frames = texts.map((item) => {
    const raw = typeof item === "string" ? toBytes(item) : encodeNar(item).slice(24);
    if (typeof item !== "string") return raw;
    const framed = new Uint8Array(8 + Math.ceil(raw.length / 8) * 8);
    framed[0] = raw.length;
    framed.set(raw, 8);
    return framed;
  });
  return Uint8Array.from(frames.flatMap((frame) => [...frame]));
};
const entry = (name: string) => ["entry", "(", "name", name, "node", "(", "type", "symlink", "target", "x", ")", ")"];
const archive = (...middle: string[]) => nar("nix-archive-1", "(", "type", ...middle);
const head = nar("nix-archive-1", "(", "type", "regular", "contents");

test.each<[string, Uint8Array, string]>([
  ["nothing", new Uint8Array(0), "unexpected end"],
  ["another magic", nar("nix-archive-2"), "look like a Nix archive"],
  ["unknown type", archive("fifo", ")"), "unknown file type 'fifo'"],
  ["names out of order", archive("directory", ...entry("b"), ...entry("a"), ")"), "not sorted"],
  ["a name twice", archive("directory", ...entry("a"), ...entry("a"), ")"), "not sorted"],
  ["a name ..", archive("directory", ...entry(".."), ")"), "invalid file name '..'"],
  ["a name .", archive("directory", ...entry("."), ")"), "invalid file name '.'"],
  ["no name", archive("directory", ...entry(""), ")"), "invalid file name ''"],
  ["a slash in a name", archive("directory", ...entry("a/b"), ")"), "invalid file name 'a/b'"],
  ["NUL in a name", archive("directory", ...entry("a\0"), ")"), "invalid file name 'a\0'"],
  ["NUL in a target", archive("symlink", "target", "a\0b", ")"), "invalid symlink target"],
  ["an empty target", archive("symlink", "target", "", ")"), "invalid symlink target"],
  [
    "executable twice",
    archive("regular", "executable", "", "executable", "", "contents", "", ")"),
    "expected tag 'contents'",
  ],
  ["executable with a value", archive("regular", "executable", "x", "contents", "", ")"), "string is too long"],
  ["no contents", archive("regular", ")"), "expected tag 'contents'"],
  ["trailing data", Uint8Array.from([...archive("symlink", "target", "x", ")"), 0]), "trailing data"],
  ["a length beyond the end", Uint8Array.from([...head, 255, 255, 255, 255, 0, 0, 0, 0]), "unexpected end"],
  [
    "a length beyond every number",
    Uint8Array.from([...head, 255, 255, 255, 255, 255, 255, 255, 255]),
    "unexpected end-of-file",
  ],
  [
    "padding that is not zero",
    Uint8Array.from([...head, 1, 0, 0, 0, 0, 0, 0, 0, 65, 0, 0, 0, 0, 0, 0, 1]),
    "non-zero padding",
  ],
  ["a keyword too long", archive("x".repeat(200)), "too long"],
  [
    "nesting without end",
    nar(
      "nix-archive-1",
      ...Array.from({ length: 3000 }, () => ["(", "type", "directory", "entry", "(", "name", "a", "node"]).flat(),
    ),
    "maximum depth of 64",
  ],
])("NAR with %s is refused", (_, bytes, message) => expect(() => decodeNar(bytes)).toThrow(message));

test.each<[HashAlgorithm, string]>([
  ["md5", "d41d8cd98f00b204e9800998ecf8427e"],
  ["sha1", "da39a3ee5e6b4b0d3255bfef95601890afd80709"],
  ["sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
  ["blake3", "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"],
])("%s of nothing", (algorithm, hex) => expect(hashHex(algorithm, "")).toBe(hex));

// Each message is C++ Nix's for `builtins.convertHash { hash = …; hashAlgo = "sha256"; }`.
test.each([
  ["abc", undefined, "hash 'abc' does not include a type, nor is the type otherwise known from context"],
  ["abc", "sha256", "hash 'abc' has wrong length for hash algorithm 'sha256'"],
  ["sha256-abc", undefined, "invalid SRI hash 'abc', length 2 != expected length 32"],
  ["foo:abc", undefined, "unknown hash algorithm 'foo', expect 'blake3', 'md5', 'sha1', 'sha256', or 'sha512'"],
  ["sha256:abc", "sha1", "hash 'sha256:abc' should have type 'sha1'"],
  [
    `${"0".repeat(20)}z${"0".repeat(43)}`,
    "sha256",
    `invalid base16 hash '${"0".repeat(20)}z${"0".repeat(43)}', length 0 != expected length 32`,
  ],
  [`z${"0".repeat(51)}`, "sha256", `invalid nix32 hash 'z${"0".repeat(51)}', length 33 != expected length 32`],
  [`e${"0".repeat(51)}`, "sha256", `invalid nix32 hash 'e${"0".repeat(51)}', length 0 != expected length 32`],
  [`${"A".repeat(42)}==`, "sha256", `invalid Base64 hash '${"A".repeat(42)}==', length 31 != expected length 32`],
  ["sha256-AAAA=AAA", undefined, "invalid SRI hash 'AAAA=AAA', length 3 != expected length 32"],
])("hash %s (%s) is refused", (text, expected, message) => {
  expect(() => parseHash(text, expected as HashAlgorithm | undefined)).toThrow(message);
});

test.each(["base16", "nix32", "base64", "sri"] as const)("a hash in %s and back", (format) => {
  for (const algorithm of ["md5", "sha1", "sha256", "sha512"] as const) {
    const hash = parseHash(hashHex(algorithm, "x"), algorithm);
    expect(parseHash(printHash(hash, format, true)).bytes).toEqual(hash.bytes);
  }
});

// Test 2 and 3 of RFC 8032, 7.1.
test.each([
  [
    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    "72",
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  ],
  [
    "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    "af82",
    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  ],
])("Ed25519 %#", (seedHex, publicHex, messageHex, signatureHex) => {
  const [seed, message] = [decodeBase16(seedHex) as Uint8Array, decodeBase16(messageHex) as Uint8Array];
  expect(encodeBase16(ed25519PublicKey(seed))).toBe(publicHex);
  const signature = ed25519Sign(message, seed);
  expect(encodeBase16(signature)).toBe(signatureHex);
  expect(ed25519Verify(message, signature, decodeBase16(publicHex) as Uint8Array)).toBe(true);
  signature[0] = (signature[0] as number) ^ 1;
  expect(ed25519Verify(message, signature, decodeBase16(publicHex) as Uint8Array)).toBe(false);
});

// A key that C++ Nix made, and what it signed with it.
const SECRET = "test-1:3FkR8XRq0XWRE4mGoyfyc+boDu/JxNX6xDQdkX/HU2LM2Zer6z4Q9hAsmYRzk87fhNiM3IdSCK+Su5eh8AJI7Q==";
const PUBLIC = "test-1:zNmXq+s+EPYQLJmEc5PO34TYjNyHUgivkruXofACSO0=";
const NARINFO = `StorePath: /nix/store/5x6x0amg7r5jp03jqwfvm5rja23phizb-hello-2.0
URL: nar/05hn8w2csr4s1bdg39bqh3ck78i2j3xr0mlihmi8vnbdidkbnbr9.nar.zst
Compression: zstd
FileHash: sha256:05hn8w2csr4s1bdg39bqh3ck78i2j3xr0mlihmi8vnbdidkbnbr9
FileSize: 359
NarHash: sha256:0jjlcdwn0b0srk9fjs7s6vq92qaq7vbwsy4v43cz171sjr0v5pxl
NarSize: 1232
References: 1z3bp2j1ylwp7l1xfp18mp0r2wvkszg9-tank-2.1 5x6x0amg7r5jp03jqwfvm5rja23phizb-hello-2.0
Deriver: zq4r58gs1g35lwqlwzswx4hwf5scisi6-hello-2.0.drv
Sig: test-1:7cJYwZXWCh43SrKV5lnl1pvHWpzf/VJ283K47eG0fLt905Oz8X5mPvo4jKKUaFpodygo7i4XlvkFqEN/5yt+Cg==
`;

test("narinfo and its signature", () => {
  const narInfo = parseNarInfo(NARINFO, "x");
  const [signature] = narInfo.info.signatures as [string];
  expect(printNarInfo(narInfo)).toBe(NARINFO);
  expect(signInfo(narInfo.info, parseSecretKey(SECRET))).toBe(signature);
  expect(printPublicKey(publicKeyOf(parseSecretKey(SECRET)))).toBe(PUBLIC);
  expect(checkSignature(narInfo.info, signature, [parsePublicKey(PUBLIC)])).toBe(true);
  const changed: NarInfo["info"] = { ...narInfo.info, narSize: 1233 };
  expect(checkSignature(changed, signature, [parsePublicKey(PUBLIC)])).toBe(false);
  expect(checkSignature(narInfo.info, signature, [])).toBe(false);
});

test.each([
  ["", "StorePath missing"],
  ["URL: x\n", "StorePath missing"],
  ["x", "expecting ':' at line 1"],
  [NARINFO.replace("StorePath: /nix/store/5", "StorePath: /nix/store/e"), "illegal base-32 character 'e'"],
  [NARINFO.replace("NarSize: 1232", "NarSize: x"), "invalid NarSize at line 7"],
  [NARINFO.replace(/NarHash: .*\n/, ""), "NarHash missing"],
  [NARINFO.replace(/NarHash: .*\n/, "NarHash: sha256:abc\n"), "bad hash at line 6"],
  [NARINFO.replace("References: ", "References: ../x "), "'../x' is too short to be a valid store path"],
  [NARINFO.replace("NarSize: 1232", "NarSize: 0"), "NarSize missing or zero"],
  [`${NARINFO}Sig: x\n`, "signature is corrupt"],
  [NARINFO.replace("URL: ", "Url: "), "URL missing"],
  [NARINFO.slice(0, 40), "expecting '\n' at line 1"],
])("narinfo %# is refused", (text, message) => expect(() => parseNarInfo(text, "x")).toThrow(message));

test.each(["", "x", "name", "name:", ":abcd", "name:!!!!", "name:AAAA"])("key %j is refused", (text) => {
  expect(() => parsePublicKey(text)).toThrow(FormatError);
  expect(() => parseSecretKey(text)).toThrow(FormatError);
});

test.each<[string, Uint8Array, string]>([
  ["nothing", new Uint8Array(0), "unexpected end"],
  ["another number first", Uint8Array.from([2, 0, 0, 0, 0, 0, 0, 0]), "doesn't look like something created by"],
  [
    "no magic",
    Uint8Array.from([1, 0, 0, 0, 0, 0, 0, 0, ...encodeNar(symlink("x")), 0, 0, 0, 0, 0, 0, 0, 0]),
    "wrong format",
  ],
])("an export with %s is refused", (_, bytes, message) => {
  expect(() =>
    readWhole(
      bytes,
      exportGrammar(
        () => ({}),
        () => undefined,
      ),
    ),
  ).toThrow(message);
});

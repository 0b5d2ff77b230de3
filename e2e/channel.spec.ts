/**
 * Package sets: from a file, from an address, and through a link to somebody who lacks them. The set has 3,000 files; how long they
 * take is measured by `npm run bench`.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { zipSync } from "fflate";
import { toBytes } from "#engine/store/format/bytes.ts";
import { writeTar } from "#engine/store/format/tar.ts";
import { directory, regularFile } from "#engine/store/format/tree.ts";
import { expect, test, visitor, type Terrarium } from "./support.ts";

const sample = "Hello from my own machine";
const COUNT = 3000;

/** A set whose `default.nix` names every package's file, as large as such sets are. */
function packageSet(greeting: string, count = COUNT): Map<string, string> {
  const files = new Map<string, string>();
  const names = Array.from({ length: count }, (_, index) => `p${String(index).padStart(4, "0")}`);
  for (const name of names) {
    const filler = `# ${name} ${"documentation of this package ".repeat(80)}\n`;
    files.set(`pkgs/${name}.nix`, `${filler}{ name = "${name}"; text = "${greeting} ${name}"; }\n`);
  }
  const entries = names.map((name) => `  ${name} = import ./pkgs/${name}.nix;\n`).join("");
  files.set("default.nix", `{\n${entries}}\n`);
  return files;
}

function tarOf(files: ReadonlyMap<string, string>): Buffer {
  const folders = [...new Set([...files.keys()].map((name) => name.split("/").slice(0, -1).join("/")))];
  const members = [
    ...folders.map((name) => ({ name: name === "" ? "set-1.0" : `set-1.0/${name}`, node: directory([]) })),
    ...[...files].map(([name, text]) => ({ name: `set-1.0/${name}`, node: regularFile(toBytes(text)) })),
  ];
  return Buffer.from(writeTar(members));
}

const upload = (name: string, buffer: Buffer) => ({ name, mimeType: "application/octet-stream", buffer });
const chooser = ({ page }: Terrarium) => page.getByLabel("Choose an archive", { exact: true });
const report = ({ page }: Terrarium) => page.locator(".transfer-report");

test("a set of 3,000 files, used at once and faster the next time", async ({ terrarium, browser }) => {
  test.setTimeout(240_000);
  const { page } = terrarium;
  await terrarium.open();
  await terrarium.panel("Sources");
  const archive = gzipSync(tarOf(packageSet("a")));
  await chooser(terrarium).setInputFiles(upload("mine-1.0.tar.gz", archive));
  await expect(report(terrarium)).toContainText(`<mine> is ready: 3001 files.`);
  const before = await terrarium.state("evaluation.result.outPath");
  await terrarium.edit(sample, "${(import <mine>).p0042.text}");
  await expect.poll(() => terrarium.state("evaluation.result.outPath")).not.toBe(before);
  const expected = await terrarium.state<string>("evaluation.result.outPath");

  await test.step("the whole set, and as nixpkgs", async () => {
    const count = "builtins.length (builtins.filter (p: p ? text) (builtins.attrValues (import <mine>)))";
    expect(await terrarium.command(`nix-instantiate --eval -E '${count}'`)).toBe(0);
    expect(JSON.stringify(await terrarium.state("console"))).toContain("3000\\n");
    expect(
      await terrarium.command(
        "nix-instantiate --eval -E 'if (import <nixpkgs> { }) ? p0001 then throw \"there\" else 1'",
      ),
    ).toBe(0);
    await terrarium.panel("Sources");
    await page.getByRole("checkbox", { name: "as <nixpkgs>" }).check();
    expect(await terrarium.command("nix-instantiate --eval -E '(import <nixpkgs>) ? p0001'")).toBe(0);
    await terrarium.panel("Sources");
    await page.getByRole("checkbox", { name: "as <nixpkgs>" }).uncheck();
  });

  await test.step("what is fetched by that hash is taken from here, whatever its address", async () => {
    const hash = await terrarium.state<string>("workspace.sources.0.narHash");
    const fetched = (sha256: string) =>
      `(import (fetchTarball { url = "https://example.org/x.tar.gz"; sha256 = "${sha256}"; })).p0001.name`;
    expect(await terrarium.command(`nix-instantiate --eval -E '${fetched(hash)}'`)).toBe(0);
    const tree = `(import (builtins.fetchTree { type = "github"; owner = "o"; repo = "r"; rev = "${"1".repeat(40)}"; narHash = "${hash}"; })).p0002.name`;
    expect(await terrarium.command(`nix-instantiate --eval --experimental-features fetch-tree -E '${tree}'`)).toBe(0);
    const unknown = `sha256-${"A".repeat(43)}=`;
    expect(await terrarium.command(`nix-instantiate --eval -E '${fetched(unknown)}'`)).toBe(1);
    expect(JSON.stringify(await terrarium.state("console"))).toContain("Give its archive to Sources");
  });

  await test.step("the next visit", async () => {
    await expect.poll(() => terrarium.state("evaluation.result.outPath")).toBe(expected);
    await page.reload();
    await expect.poll(() => terrarium.state("evaluation.result.outPath")).toBe(expected);
    expect(await terrarium.command("nix-instantiate --eval -E '(import <mine>).p2999.name'")).toBe(0);
    expect(JSON.stringify(await terrarium.state("console"))).toContain("p2999");
  });

  await page.getByRole("banner").getByRole("button", { name: "Share" }).click();
  const field = page.getByRole("textbox", { name: "Link" });
  await expect(field).toHaveValue(/#1\/[\w-]+$/);
  const fragment = new URL(await field.inputValue()).hash;
  await page.close();

  const context = await browser.newContext();
  const friend = visitor(await context.newPage());
  await test.step("somebody who lacks it is told, and only the very same is taken", async () => {
    await friend.open(fragment);
    const notice = friend.page.getByText("This link uses <mine>, which this browser does not have yet.");
    await expect(notice).toBeVisible();
    await expect.poll(() => friend.state("opened.status")).toBe("failed");
    await friend.button("Get it").click();
    const missing = friend.page.getByLabel("Choose its archive");
    await missing.setInputFiles(upload("other.tar.gz", gzipSync(tarOf(packageSet("b", 3)))));
    await expect(report(friend)).toContainText("other.tar.gz has the hash sha256-");
    await missing.setInputFiles(upload("same.zip", Buffer.from(zip(packageSet("a")))));
    await expect(report(friend)).toContainText("<mine> is ready");
    await expect.poll(() => friend.state("evaluation.result.outPath"), { timeout: 60_000 }).toBe(expected);
  });
  await context.close();
});

function zip(files: ReadonlyMap<string, string>): Uint8Array {
  return zipSync(Object.fromEntries([...files].map(([name, text]) => [`wrapper/${name}`, toBytes(text)])));
}

test("a set from an address, when the visitor says so", async ({ terrarium, browser }) => {
  const archive = gzipSync(tarOf(packageSet("a", 5)));
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    const allowed = { "Access-Control-Allow-Origin": "*" };
    if (request.url === "/gone.tar.gz") return response.writeHead(404, allowed).end();
    return response.writeHead(200, allowed).end(archive);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { page } = terrarium;
  await terrarium.open();
  await terrarium.panel("Sources");
  const address = page.getByRole("textbox", { name: "Address of a package set" });
  const get = async (url: string, answer: string | RegExp) => {
    await address.fill(url);
    await page.getByRole("region", { name: "Package sets" }).getByRole("button", { name: "Download" }).click();
    await expect(report(terrarium)).toContainText(answer);
  };
  await get(`${origin}/tools-2.1.tar.gz`, "<tools> is ready: 6 files.");
  expect(await terrarium.state("workspace.sources.0.url")).toBe(`${origin}/tools-2.1.tar.gz`);
  await get(`${origin}/gone.tar.gz`, "answers 404");
  await get("ftp://example.org/x.tar.gz", "is no address");
  expect(asked).toEqual(["/tools-2.1.tar.gz", "/gone.tar.gz"]);

  await test.step("a link asks nobody, until its reader presses", async () => {
    await terrarium.edit(sample, "${(import <tools>).p0001.name}");
    await page.getByRole("banner").getByRole("button", { name: "Share" }).click();
    const field = page.getByRole("textbox", { name: "Link" });
    await expect(field).toHaveValue(/#1\/[\w-]+$/);
    const context = await browser.newContext();
    const friend = visitor(await context.newPage());
    await friend.open(new URL(await field.inputValue()).hash);
    await expect.poll(() => friend.state("opened.status")).toBe("failed");
    await friend.button("Get it").click();
    const get = friend.page.getByRole("button", { name: `Download from ${new URL(origin).host}` });
    await expect(get).toBeVisible();
    expect(asked).toHaveLength(2);
    await get.click();
    await expect(report(friend)).toContainText("<tools> is ready");
    expect(asked.slice(2)).toEqual(["/tools-2.1.tar.gz"]);
    const expected = await terrarium.state("evaluation.result.outPath");
    await expect.poll(() => friend.state("evaluation.result.outPath")).toBe(expected);
    await context.close();
    await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    await terrarium.panel("Sources");
  });
  await page.getByRole("button", { name: "Stop using tools" }).click();
  await expect(page.getByText("Also in this browser")).toBeVisible();
  await page.getByRole("button", { name: /^Delete / }).click();
  await expect(page.getByText("Also in this browser")).toHaveCount(0);
  server.close();
});

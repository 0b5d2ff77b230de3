/** A binary cache from a file: nothing of it is taken before its key is trusted, then it spares the build; a changed file is refused. */
import { zipSync } from "fflate";
import { writeToCache } from "#engine/build/binary-cache.ts";
import { toBytes } from "#engine/store/format/bytes.ts";
import { printHash } from "#engine/store/format/hash.ts";
import { hashNar } from "#engine/store/format/nar.ts";
import { parseSecretKey } from "#engine/store/format/signature.ts";
import { regularFile, storeTree } from "#engine/store/format/tree.ts";
import { MemoryBacking } from "#engine/store/memory-backing.ts";
import { Store } from "#engine/store/store.ts";
import { expect, test, type Terrarium } from "./support.ts";

const SECRET = "test-1:3FkR8XRq0XWRE4mGoyfyc+boDu/JxNX6xDQdkX/HU2LM2Zer6z4Q9hAsmYRzk87fhNiM3IdSCK+Su5eh8AJI7Q==";
const PUBLIC = "test-1:zNmXq+s+EPYQLJmEc5PO34TYjNyHUgivkruXofACSO0=";

/** A cache that says of a path that it is this text. */
async function cacheOf(path: string, text: string): Promise<Record<string, Uint8Array>> {
  const store = await Store.open(new MemoryBacking(), { now: () => 1 });
  const blobs = new Map<string, Uint8Array>();
  const tree = regularFile(toBytes(text));
  const { hash, size } = hashNar(tree);
  const narHash = printHash(hash, "nix32", true);
  const info = { path, narHash, narSize: size, references: [], signatures: [], ultimate: false };
  const stored = storeTree(tree, (sha256, contents) => void blobs.set(sha256, contents));
  await store.register([{ info, tree: stored }], (sha256) => blobs.get(sha256) as Uint8Array);
  const files: Record<string, Uint8Array> = {};
  const write = async (name: string, contents: Uint8Array) => void (files[name] = contents);
  const cache = { url: "memory", read: async (name: string) => files[name], write };
  await writeToCache(store, [path], cache, { key: parseSecretKey(SECRET) });
  return files;
}

/** What the last command printed. */
async function printed(terrarium: Terrarium): Promise<string> {
  const entries = await terrarium.state<{ output: { stream: string; text: string }[] }[]>("console");
  const last = entries.at(-1)?.output ?? [];
  return last.map(({ text }) => text).join("");
}

test("taken from a cache instead of built, once its key is trusted", async ({ terrarium }) => {
  test.setTimeout(180_000);
  const { page } = terrarium;
  await terrarium.open();
  const never = 'derivation { name = "heavy"; system = "i686-linux"; builder = "/bin/false"; }';
  expect(await terrarium.command(`nix-instantiate -E '${never}'`)).toBe(0);
  const [drvPath] = /\/nix\/store\/\S+\.drv/.exec(await printed(terrarium)) ?? [""];
  expect(await terrarium.command(`nix-store -q --outputs ${drvPath}`)).toBe(0);
  const path = (await printed(terrarium)).trim();

  await terrarium.panel("Sources");
  const files = await cacheOf(path, "from the cache\n");
  const caches = page.getByRole("region", { name: "Binary caches" });
  const give = (name: string, given: Record<string, Uint8Array>) =>
    caches.getByLabel("Choose an archive of a cache").setInputFiles({
      name,
      mimeType: "application/zip",
      buffer: Buffer.from(zipSync(given)),
    });
  await give("other.zip", { "readme.txt": toBytes("hello") });
  await expect(page.locator(".transfer-report")).toContainText("other.zip is no binary cache");
  await give("mine.zip", files);
  await expect(caches).toContainText("none trusted yet");
  const key = caches.getByRole("textbox", { name: "Key to trust" });
  await expect(key).toHaveAttribute("placeholder", /^test-1:/);
  await key.fill("nonsense");
  await caches.getByRole("button", { name: "Trust" }).click();
  await expect(key).toHaveAttribute("aria-invalid", "true");
  await key.fill(PUBLIC);
  await caches.getByRole("button", { name: "Trust" }).click();
  await expect(caches).toContainText("all trusted");

  expect(await terrarium.command(`nix-store -r ${drvPath}`)).toBe(0);
  expect(await printed(terrarium)).toContain(path);
  expect(await terrarium.command("nix-store --verify --check-contents")).toBe(0);
  await terrarium.panel("Sources");
  await caches.getByRole("button", { name: "Delete mine.zip" }).click();
  await expect(caches).toContainText("It is gone from this browser.");
});

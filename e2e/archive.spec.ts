/**
 * A whole workspace as one file: saved in one browser, opened in another, with its generations, notes and what the machine had on its
 * disk; and what is refused leaves nothing. And the ways to real Nix, each file as its program takes it.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { unzipSync } from "fflate";
import type { Download } from "@playwright/test";
import { expect, test, visitor, type Terrarium } from "./support.ts";

const sample = "Hello from my own machine";
const folder = mkdtempSync(path.join(tmpdir(), "terrarium-e2e-"));
test.afterAll(() => rmSync(folder, { recursive: true }));

const report = ({ page }: Terrarium) => page.locator(".transfer-report");

/** What a press saves. */
async function saved({ page }: Terrarium, button: string | RegExp): Promise<{ name: string; bytes: Buffer }> {
  const coming: Promise<Download> = page.waitForEvent("download");
  await page.getByRole("button", { name: button }).click();
  const download = await coming;
  const name = download.suggestedFilename();
  const place = path.join(folder, name);
  await download.saveAs(place);
  return { name, bytes: readFileSync(place) };
}

/** Databases of workspaces, by name. */
const databases = ({ page }: Terrarium) =>
  page.evaluate(async () =>
    (await indexedDB.databases())
      .map(({ name }) => name ?? "")
      .filter((name) => /^terrarium-(?:store|machine)-/.test(name))
      .toSorted(),
  );

/** Begins to open an archive and cancels it at once. */
const cancelImport = ({ page }: Terrarium, bytes: Buffer) =>
  page.evaluate(async (base64) => {
    interface Transfer {
      openArchive(file: File): Promise<void>;
      cancel(): void;
    }
    const { terrarium } = globalThis as unknown as {
      terrarium: { actions: { transferring(): Promise<Transfer> } };
    };
    const transfer = await terrarium.actions.transferring();
    const contents = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    const opening = transfer.openArchive(new File([contents], "a.tar.gz"));
    await new Promise((resolve) => setTimeout(resolve, 50));
    transfer.cancel();
    await opening;
  }, bytes.toString("base64"));

/** What a tab leaves that is closed in the middle of an import. */
const leaveHalfAnImport = ({ page }: Terrarium, id: string) =>
  page.evaluate(async (workspace) => {
    const open = (name: string) =>
      new Promise<IDBDatabase>((resolve, reject) => {
        const request = indexedDB.open(name);
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error ?? new Error(name));
      });
    (await open(`terrarium-store-${workspace}`)).close();
    const records = await open("terrarium");
    const transaction = records.transaction("records", "readwrite");
    transaction.objectStore("records").put(null, `import/${workspace}`);
    await new Promise((resolve) => (transaction.oncomplete = resolve));
    records.close();
  }, id);

test("a workspace goes to another browser as one file", async ({ terrarium, browser }) => {
  test.setTimeout(300_000);
  await terrarium.open();
  await terrarium.serves(sample);
  await terrarium.recolour("tomato");
  await terrarium.button("Switch").first().click();
  await terrarium.running(2);
  await terrarium.type("echo kept > /root/note.txt");
  await terrarium.panel("Generations");
  const note = terrarium.page.getByRole("textbox", { name: "Note for generation" });
  await note.fill("the red one");
  await note.blur();
  const system = await terrarium.state<string>("evaluation.result.outPath");

  const { name, bytes } = await test.step("saved", async () => {
    await terrarium.panel("Take home");
    const file = await saved(terrarium, /^Save “/);
    await expect(report(terrarium)).toContainText("Opened elsewhere, it is this workspace again.");
    expect(file.name).toBe("First-steps.terrarium.tar.gz");
    return file;
  });
  await test.step("and to real Nix: a folder, a closure, an image", async () => {
    const zip = await saved(terrarium, "Save .zip");
    const files = unzipSync(zip.bytes);
    expect(Object.keys(files)).toContain("terrarium/nixos/configuration.nix");
    expect(Object.keys(files)).toContain("terrarium/channels/nixos/nixos/lib/page.nix");
    expect(new TextDecoder().decode(files["terrarium/README.md"])).toContain(system);
    const closure = await saved(terrarium, "Save .nar");
    expect(closure.bytes.readBigUInt64LE()).toBe(1n);
    expect(closure.bytes.includes(system)).toBe(true);
    const image = await saved(terrarium, "Save .oci.tar");
    expect(image.bytes.includes('{"imageLayoutVersion":"1.0.0"}')).toBe(true);
    await expect(terrarium.page.getByRole("region", { name: "Space in this browser" })).toContainText("paths");
  });
  const title = await terrarium.state<string>("workspace.title");
  await terrarium.page.close();

  const context = await browser.newContext();
  const friend = visitor(await context.newPage());
  await friend.open();
  await friend.serves(sample);
  await friend.panel("Take home");
  const chooser = friend.page.getByLabel("Open a saved one");
  const give = (file: Buffer, as = name) =>
    chooser.setInputFiles({ name: as, mimeType: "application/gzip", buffer: file });

  await test.step("a damaged one is refused by name, and leaves nothing", async () => {
    const before = await databases(friend);
    const tar = gunzipSync(bytes);
    const text = tar.indexOf("tomato");
    expect(text).toBeGreaterThan(0);
    const at = tar.lastIndexOf("tomato");
    const changed = Buffer.from(tar);
    changed.write("tomatO", at);
    await give(gzipSync(changed));
    await expect(report(friend)).toContainText(/hash mismatch importing path '\/nix\/store\/|is damaged/);
    await give(bytes.subarray(0, bytes.length / 2));
    await expect(report(friend)).toContainText("cannot decompress gzip data");
    await give(Buffer.from("no archive at all"));
    await expect(report(friend)).toContainText("this is neither a tar nor a zip archive");
    expect(await databases(friend)).toEqual(before);
    expect(await friend.state("workspaces.length")).toBe(1);
  });

  await test.step("a cancelled one leaves nothing, and the next takes away what a killed one left", async () => {
    const before = await databases(friend);
    await cancelImport(friend, bytes);
    await expect(report(friend)).toContainText("Cancelled. Nothing was kept.");
    await expect.poll(() => databases(friend)).toEqual(before);
    await leaveHalfAnImport(friend, "killed");
    expect(await databases(friend)).toContain("terrarium-store-killed");
  });

  await test.step("opened: files, generations, notes, machine", async () => {
    await give(bytes);
    await expect(report(friend)).toContainText(`“${title}” is here, with every path checked.`);
    await expect.poll(() => friend.state("evaluation.result.outPath")).toBe(system);
    expect(await friend.state("generations.list.length")).toBe(2);
    expect(await friend.state("generations.list.1.note")).toBe("the red one");
    expect(await friend.state("generations.list.1.outPath")).toBe(system);
    expect(await friend.state<unknown[]>("generations.list.0.files")).toHaveLength(1);
    expect(await friend.state("workspaces.length")).toBe(2);
    await friend.running(2);
    await friend.type("cat /root/note.txt");
    await friend.terminalShows("kept");
    expect(await friend.command("nix-store --verify --check-contents")).toBe(0);
    expect(await databases(friend)).not.toContain("terrarium-store-killed");
  });
  await context.close();
});

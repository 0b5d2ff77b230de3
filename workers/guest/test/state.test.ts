/** The committed state image belongs to the committed kernel, initramfs and v86; and the binaries stay small. */
import { createHash } from "node:crypto";
import { readFileSync, readlinkSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { memorySize } from "#workers/machine/drivers/v86-options.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const guest = `${root}workers/guest`;
const seeds = `${root}samples/channel/seeds`;
const sha256 = (path: string): string => createHash("sha256").update(readFileSync(path)).digest("hex");

describe("the guest's binaries", () => {
  it("include a state image of themselves", () => {
    const description: unknown = JSON.parse(readFileSync(`${guest}/build/state.json`, "utf8"));
    const v86: unknown = JSON.parse(readFileSync(createRequire(import.meta.url).resolve("v86/package.json"), "utf8"));
    expect(description).toMatchObject({
      v86: (v86 as { version: string }).version,
      memory: memorySize,
      kernel: sha256(`${seeds}/linux/bzImage`),
      initrd: sha256(`${seeds}/initrd/initrd`),
      state: sha256(`${guest}/build/state.bin.zst`),
    });
  });

  it("have a link for every name in applets.list", () => {
    const list = readFileSync(`${guest}/applets.list`, "utf8");
    const names = [...list.matchAll(/^# names: (.*)$/gm)].flatMap((line) => (line[1] ?? "").split(" "));
    for (const name of names) expect(readlinkSync(`${seeds}/supervisor/bin/${name}`)).toBe("terrarium-init");
    expect(names).toContain("systemd");
  });

  it("together stay below 10 MB", () => {
    const files = ["linux/bzImage", "initrd/initrd", "busybox/bin/busybox", "supervisor/bin/terrarium-init"].map(
      (file) => `${seeds}/${file}`,
    );
    const sizes = [
      ...files,
      `${guest}/build/state.bin.zst`,
      `${guest}/bios/seabios.bin`,
      `${guest}/bios/vgabios.bin`,
    ].map((file) => statSync(file).size);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(10_000_000);
    expect(statSync(`${seeds}/supervisor/bin/terrarium-init`).size).toBeLessThan(300_000);
  });
});

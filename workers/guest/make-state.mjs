/**
 * Makes the state image: boots the committed kernel and initramfs to stage 1, where the agent waits for BOOT or BUILD with nothing of the host
 * mounted, zeroes the free memory, and saves v86's state, compressed by zstd. Usage: node workers/guest/make-state.mjs
 *
 * Result: workers/guest/build/state.bin.zst, and state.json beside it that says what it was made of: a state restores only into the
 * same v86 with the same devices, so whoever loads it compares.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { Guest, fixedOptions, images } from "./test/vm.mjs";

const folder = fileURLToPath(new URL("build/", import.meta.url));
const v86 = JSON.parse(fs.readFileSync(new URL("../../node_modules/v86/package.json", import.meta.url), "utf8"));
const sha256 = (path) => createHash("sha256").update(fs.readFileSync(path)).digest("hex");

const guest = new Guest();
await guest.ready();
const zeroed = await guest.exec(["/bin/zero-memory"]);
if (zeroed.exit[1] !== "0") throw new Error(`zero-memory: ${zeroed.exit.join(" ")} ${zeroed.stderr}`);
// Let the kernel put away what the last process left.
await new Promise((resolve) => setTimeout(resolve, 500));
await guest.emulator.stop();
const state = new Uint8Array(await guest.emulator.save_state());

fs.mkdirSync(folder, { recursive: true });
fs.writeFileSync(`${folder}state.bin`, state);
execFileSync("zstd", ["-q", "-f", "-19", "--rm", `${folder}state.bin`, "-o", `${folder}state.bin.zst`]);
const description = {
  v86: v86.version,
  memory: fixedOptions.memory_size,
  kernel: sha256(images.kernel),
  initrd: sha256(images.initrd),
  bytes: state.length,
  state: sha256(`${folder}state.bin.zst`),
};
fs.writeFileSync(`${folder}state.json`, `${JSON.stringify(description, null, 2)}\n`);
console.log(`${fs.statSync(`${folder}state.bin.zst`).size} bytes compressed, ${state.length} plain`);
process.exit(0);

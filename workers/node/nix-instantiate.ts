/**
 * `nix-instantiate` on Node. With NIX_REMOTE=local?root=DIR it writes to a real store; without, it only computes.
 */
import { DEFAULT_STORE_DIR } from "#engine/store/format/store-path.ts";
import { Output, environment, runOnNode, toByteString } from "./language.ts";

/** `local?root=DIR` names the directory; `dummy://` and anything else has no files. */
function storeRoot(remote: string | undefined): string | undefined {
  const match = /^(?:local)?\?(?:.*&)?root=([^&]*)/.exec(remote ?? "");
  return match === null ? undefined : decodeURIComponent(match[1]!);
}

export async function nixInstantiate(argv: readonly string[]): Promise<number> {
  const storeDir = environment("NIX_STORE_DIR") ?? DEFAULT_STORE_DIR;
  const root = storeRoot(process.env["NIX_REMOTE"]);
  const store = root === undefined ? undefined : await (await import("./fs-store.ts")).openFsStore(root, { storeDir });
  const out = new Output();
  try {
    return await runOnNode(["nix-instantiate", ...argv.map(toByteString)], {
      storeDir,
      store,
      root,
      print: (text) => out.print(text),
      error: (text) => out.error(text),
      context: async () =>
        (await import("./store-commands.ts")).nodeContext(new AbortController().signal, process.cwd(), argv),
    });
  } finally {
    out.flush();
  }
}

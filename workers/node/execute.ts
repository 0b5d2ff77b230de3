/**
 * Programs of a store that lies below a directory: where the system allows it they run in a mount namespace in which that directory's
 * `nix` is the root's, as C++ Nix does for such stores.
 */
import { spawn } from "node:child_process";
import fs from "node:fs";
import type { ByteString } from "#engine/store/format/bytes.ts";

/** Makes a root with everything of this one and the store in it, and runs the rest of the arguments there. */
const ENTER = `
set -e
store=$1; folder=$2; shift 2
root=$(mktemp -d)
for place in /*; do
  [ "$place" = /nix ] && continue
  if [ -L "$place" ]; then cp -P "$place" "$root$place"
  elif [ -d "$place" ]; then mkdir "$root$place"; mount --rbind "$place" "$root$place"
  fi
done
mkdir "$root/nix"
mount --rbind "$store" "$root/nix"
exec chroot "$root" sh -c 'cd "$1" && shift && exec "$@"' sh "$folder" "$@"
`;

const text = (bytes: ByteString): string => Buffer.from(bytes, "latin1").toString();

/** Runs a program with these variables besides this process's; gives its exit code. */
export function executeInStore(
  root: string | undefined,
  program: ByteString,
  args: readonly ByteString[],
  env: Readonly<Record<string, ByteString>>,
): Promise<number> {
  const words = [text(program), ...args.map(text)];
  const isElsewhere = root !== undefined && root !== "/" && fs.existsSync(`${root}/nix`);
  const [command, ...rest] = isElsewhere
    ? [
        "unshare",
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        ENTER,
        "sh",
        `${root}/nix`,
        process.cwd(),
        ...words,
      ]
    : words;
  const variables = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, text(value)]));
  return new Promise((resolve) => {
    const child = spawn(command!, rest, { stdio: "inherit", env: { ...process.env, ...variables } });
    child.on("error", () => {
      process.stderr.write(`error: unable to execute '${words[0]!}': No such file or directory\n`);
      resolve(1);
    });
    child.on("close", (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
}

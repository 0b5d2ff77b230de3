/**
 * Which programs of a service the simulation can stand in for. A WebContainer runs JavaScript, not what is in the store: a web server for
 * files has a stand-in, a program that only waits needs none, everything else is said to be native and left alone.
 */

export type Program =
  /** A web server for the files below `root`, an absolute path. */
  | { readonly kind: "serve"; readonly port: number; readonly root: string }
  /** Waits until it is stopped. */
  | { readonly kind: "wait" }
  | { readonly kind: "native"; readonly name: string };

/** What stands for a unit's command line (systemd.service(5), "Command lines": a prefix, quotes, no shell). */
export function programOf(commandLine: string): Program {
  const [program = "", ...rest] = commandWords(commandLine.replace(/^[-@:+!|]+/, ""));
  const name = baseName(program);
  const [applet = "", ...args] = name === "busybox" ? rest : [name, ...rest];
  switch (applet) {
    case "httpd":
      return serve(args);
    case "sleep":
    case "getty":
    case "agetty":
      return { kind: "wait" };
    default:
      return { kind: "native", name: applet };
  }
}

/** busybox' httpd: `-p [ADDRESS:]PORT -h FOLDER`; other flags change nothing that shows. */
function serve(args: readonly string[]): Program {
  const value = (flag: string): string | undefined => {
    const at = args.indexOf(flag);
    return at < 0 ? undefined : args[at + 1];
  };
  const port = Number(value("-p")?.split(":").at(-1) ?? 80);
  return { kind: "serve", port, root: value("-h") ?? "/" };
}

/** The words of a command line; quotes keep blanks together. */
function commandWords(text: string): string[] {
  const words = text.match(/"[^"]*"|'[^']*'|\S+/g) ?? [];
  return words.map((word) => (/^(["']).*\1$/.test(word) ? word.slice(1, -1) : word));
}

const baseName = (path: string): string => path.slice(path.lastIndexOf("/") + 1);

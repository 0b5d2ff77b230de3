/**
 * C++ Nix as the oracle of goldens and campaigns: runs one expression and takes apart what it prints. Where it is: NIX_ORACLE=DIR/bin.
 */
import { spawn } from "node:child_process";
import { homedir } from "node:os";
import { join } from "node:path";

const oracle = process.env.NIX_ORACLE ?? join(homedir(), ".cache/nix-oracle/bin");

/** Where expressions are evaluated; the fixture files lie there. */
export const fixtures = "/tmp/terrarium";

/** Runs one expression with further flags (all in one string); stdout and stderr as byte strings. */
export function ask({ expr, flags }) {
  const base = ["--eval", "--strict", "--show-trace", "--option", "system", "i686-linux"];
  const features = flags.includes("experimental-features") ? [] : ["--option", "experimental-features", ""];
  const more = flags === "" ? [] : flags.split(/\s+/);
  return new Promise((resolve) => {
    const child = spawn(join(oracle, "nix-instantiate"), [...base, ...features, ...more, "-E", expr], {
      cwd: fixtures,
      env: { PATH: process.env.PATH, HOME: fixtures, NIX_REMOTE: "dummy://", TERRARIUM: "glass", EMPTY: "" },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const timer = setTimeout(() => child.kill("SIGKILL"), 20_000);
    const texts = ["", ""];
    child.stdout.on("data", (chunk) => (texts[0] += chunk.toString("latin1")));
    child.stderr.on("data", (chunk) => (texts[1] += chunk.toString("latin1")));
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code, out: texts[0], err: texts[1] });
    });
  });
}

/** Takes stderr apart: lines before the error, the trace's texts (outermost first), the message, its position. */
export function parseError(err) {
  const start = err.search(/^error:/m);
  const log = start > 0 ? err.slice(0, start).replace(/\n$/, "").split("\n") : [];
  const lines = err.slice(start).split("\n");
  const last = lines.findLastIndex((line) => /^( {7})?error:( |$)/.test(line));
  const indent = lines[last].startsWith(" ") ? 7 : 0;
  const trace = lines.slice(0, last).flatMap((line) => (/^ {7}\xe2\x80\xa6 /.test(line) ? [line.slice(11)] : []));
  const body = lines
    .slice(last)
    .map((line, index) => (index === 0 ? line.slice(indent + 7) : line.replace(/^ {7}/, "")));
  const at = body.findIndex((line) => /^at .*:\d+:\d+:$/.test(line));
  const message = (at < 0 ? body : body.slice(0, at)).join("\n").trimEnd();
  const pos = at < 0 ? undefined : /:(\d+:\d+):$/.exec(body[at])[1];
  return { log, trace, message: message.split("\nDid you mean ")[0].split("\nTry 'nix-instantiate --help'")[0], pos };
}

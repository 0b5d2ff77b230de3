/** What the fetchers download: a file's bytes by a `file:` or web address, with errors in Nix's words. */
import fs from "node:fs";
import { fileURLToPath } from "node:url";
import { StoreError } from "#engine/store/error.ts";

export interface Download {
  readonly bytes: Uint8Array;
  /** Where the server says that this very content stays (`Link: <…>; rel="immutable"`). */
  readonly immutableUrl?: string;
}

/** Tries of a download whose server cannot be reached or is in trouble. */
const ATTEMPTS = 3;

/** @throws StoreError "network" */
export async function downloadInput(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Download> {
  if (url.startsWith("file://")) return readLocal(url);
  let problem = "";
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    try {
      const response = await fetch(url, { headers });
      if (response.ok) return await answerOf(response, url);
      problem = await refusalOf(response);
      if (response.status < 500) break;
    } catch (error) {
      problem = networkProblem(url, error);
    }
  }
  throw new StoreError("network", `unable to download '${url}': ${problem}`, { url });
}

function readLocal(url: string): Download {
  const place = fileURLToPath(url.replace(/[?#].*$/s, ""));
  if (fs.existsSync(place)) return { bytes: fs.readFileSync(place) };
  const reason = `Could not read a file:// file (37) Could not open file ${place}`;
  throw new StoreError("network", `unable to download '${url}': ${reason}`, { url });
}

async function answerOf(response: Response, url: string): Promise<Download> {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const link = /<([^>]*)>\s*;\s*rel="?immutable"?/.exec(response.headers.get("link") ?? "")?.[1];
  return link === undefined ? { bytes } : { bytes, immutableUrl: new URL(link, url).href };
}

/** Short answers, and pages that say why, are shown. */
async function refusalOf(response: Response): Promise<string> {
  const body = Buffer.from(await response.arrayBuffer()).toString("latin1");
  const isShown = body !== "" && (body.length < 1024 || body.includes("<html>"));
  return `HTTP error ${response.status}${isShown ? `\n\nresponse body:\n\n${body.trimEnd()}` : ""}`;
}

function networkProblem(url: string, error: unknown): string {
  const { hostname, port, protocol } = new URL(url);
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  if (cause?.code === "ENOTFOUND" || cause?.code === "EAI_AGAIN") {
    return `Could not resolve hostname (6) Could not resolve host: ${hostname}`;
  }
  if (cause?.code === "ECONNREFUSED") {
    const at = port === "" ? (protocol === "https:" ? "443" : "80") : port;
    const why = `Failed to connect to ${hostname}:${at} after 0 ms: Could not connect to server`;
    return `Could not connect to server (7) ${why}`;
  }
  return cause?.message ?? String(error);
}

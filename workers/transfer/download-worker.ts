/**
 * The download worker: the one part of Terrarium that may reach other hosts, and it does nothing else. It is started when the visitor
 * presses a button that says so, fetches that one thing, and is ended. No text of a workspace or of a link comes here by itself.
 */
import * as Comlink from "comlink";
import { StoreError } from "#engine/store/error.ts";
import { concatBytes } from "#engine/store/format/bytes.ts";
import { fetchRepository, parseRepository } from "./github.ts";
import { guardedMethods } from "./problem.ts";
import type { DownloadWorker, OnProgress } from "./types.ts";

const MOST_BYTES = 1_000_000_000;

const worker: DownloadWorker = {
  async fetchArchive(address, onProgress) {
    const repository = parseRepository(address);
    if (repository !== undefined) return fetchRepository(repository, (file, accept) => read(file, accept), onProgress);
    const url = webAddress(address);
    return { archive: new Blob([(await read(url, "*/*", onProgress)) as Uint8Array<ArrayBuffer>]), url };
  },
};

function webAddress(address: string): string {
  const url = URL.parse(address);
  if (url?.protocol === "https:" || url?.protocol === "http:") return url.href;
  throw new StoreError("usage", `“${address}” is no address: it begins with https:// or github:`);
}

async function read(address: string, accept = "*/*", onProgress: OnProgress = () => undefined): Promise<Uint8Array> {
  const { host } = new URL(address);
  onProgress(`Asking ${host}`, null);
  const response = await fetch(address, {
    headers: { Accept: accept },
    credentials: "omit",
    referrerPolicy: "no-referrer",
  }).catch(() => {
    throw new StoreError(
      "network",
      `${host} cannot be read from a page: there is no network, or it does not let other sites read it. Download the archive and drop the file here.`,
    );
  });
  if (!response.ok) throw new StoreError("network", `${host} answers ${response.status} ${response.statusText}`);
  const total = Number(response.headers.get("Content-Length") ?? 0);
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    parts.push(piece.value);
    size += piece.value.length;
    if (size > MOST_BYTES) throw new StoreError("network", `${address} is larger than ${MOST_BYTES} bytes`);
    onProgress(`Downloading from ${host}`, total > size ? size / total : null);
  }
  return concatBytes(parts);
}

Comlink.expose(guardedMethods(worker));

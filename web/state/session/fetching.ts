/** What an evaluation fetches: nothing, unless the visitor gave the page what has the hash that is asked for. */
import type { EvaluatorServices, StoreWorker } from "#workers/api.ts";
import { type Client, openLibrary } from "#workers/client.ts";

export function createFetch(store: Promise<Client<StoreWorker>>): EvaluatorServices["fetch"] {
  return async (request) => {
    const { url, hash } = request;
    const item = hash === undefined ? null : await (await openLibrary()).lockedArchive(request);
    if (item === null || hash === undefined) {
      const advice = hash === undefined ? "" : " Give its archive to Sources, and it is taken from there.";
      throw new Error(`The page cannot fetch ${url}: evaluation here has no network.${advice}`);
    }
    await (await store).api.register([item]);
    return { storePath: item.path, narHash: hash, attributes: {} };
  };
}

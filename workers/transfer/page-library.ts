/** The library of package sets as the page reads it for its evaluator; loaded when a workspace uses one. */
import { openIdb } from "../store/idb.ts";
import { LIBRARY, listSources, readChunk, readIndex } from "./library.ts";

const backing = openIdb(LIBRARY);

export const sourceRecords = () => listSources(backing);
export const sourceIndex = (narHash: string) => readIndex(backing, narHash);
export const sourceChunk = (narHash: string, chunk: number) => readChunk(backing, narHash, chunk);

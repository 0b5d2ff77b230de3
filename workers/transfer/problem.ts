/** Errors of the transfer and the download worker as plain data: Error objects lose their fields on the way to the page. */
import { FormatError } from "#engine/store/format/error.ts";
import { StoreError } from "#engine/store/error.ts";
import type { WorkerProblem } from "../api.ts";

type Method = (...args: never[]) => Promise<unknown>;

/** The same methods, rejecting with `WorkerProblem`s. */
export function guardedMethods<Api extends object>(api: Api): Record<string, Method> {
  return Object.fromEntries(
    Object.entries(api as Record<string, Method>).map(([name, method]) => [name, guarded(method)]),
  );
}

const guarded = (method: Method): Method =>
  async function (...args) {
    try {
      return await method(...args);
    } catch (error) {
      throw problem(error);
    }
  };

function problem(error: unknown): WorkerProblem {
  if (error instanceof StoreError || error instanceof FormatError) return { code: error.code, message: error.message };
  if (error instanceof DOMException && error.name === "QuotaExceededError")
    return { code: "quota", message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { code: "bug", message };
}

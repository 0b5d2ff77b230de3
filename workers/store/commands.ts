/** The commands that run in the page, and what each sees of the world. */
import type { Builder, CancelSignal } from "#engine/build/builder.ts";
import type { Command, CommandContext } from "#engine/commands/command.ts";
import { CommandError } from "#engine/commands/command.ts";
import { decodeUtf8, encodeUtf8, toBytes } from "#engine/store/format/bytes.ts";
import type { RootLink } from "#engine/store/gc.ts";
import type { Store } from "#engine/store/store.ts";
import type { CommandServices } from "../api.ts";
import { register } from "./adding.ts";

export const commands: readonly Command[] = [];

export interface CommandEnvironment {
  readonly store: Store;
  readonly services: CommandServices;
  readonly builder: Builder;
  readonly signal: CancelSignal;
  readonly fetch: (url: string) => Promise<Uint8Array>;
  readonly extraRoots: () => readonly RootLink[];
}
void [CommandError, decodeUtf8, encodeUtf8, toBytes, register];
export function commandContext(_: CommandEnvironment): CommandContext {
  throw new Error("no commands yet");
}

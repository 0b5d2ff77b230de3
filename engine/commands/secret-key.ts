/** Secret keys out of files and standard input, with Nix's account of a corrupt one. */
import { FormatError } from "../store/format/error.ts";
import { type SecretKey, parseSecretKey } from "../store/format/signature.ts";
import { CommandError } from "./command.ts";

/** @throws CommandError that names the key */
export function readSecretKey(text: string): SecretKey {
  try {
    return parseSecretKey(text);
  } catch (error) {
    if (!(error instanceof FormatError) || !error.message.endsWith("corrupt")) throw error;
    const name = text.includes(":") ? text.slice(0, text.indexOf(":")) : "";
    throw new CommandError(`\n… while decoding key named '${name}'\n\nerror: ${error.message}`);
  }
}

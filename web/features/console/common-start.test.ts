import { expect, it } from "vitest";
import { commonStart } from "./common-start.ts";

it.each([
  [[], ""],
  [["nix-store"], "nix-store"],
  [["nix-store", "nix-shell"], "nix-s"],
  [["a", "b"], ""],
])("%j", (texts, expected) => expect(commonStart(texts)).toBe(expected));

import { describe, expect, it } from "vitest";
import { findCommands, keysText } from "./find-commands.ts";

const list = [
  { id: "1", title: "Roll back", line: "nixos-rebuild switch --rollback" },
  { id: "2", title: "Switch", line: "nixos-rebuild switch" },
  { id: "3", title: "Share as a link" },
];

describe("findCommands", () => {
  it.each([
    ["", "123"],
    ["switch", "21"],
    ["nixos roll", "1"],
    ["LINK", "3"],
    ["zebra", ""],
  ])("%j", (typed, expected) =>
    expect(
      findCommands(list, typed)
        .map((each) => each.id)
        .join(""),
    ).toBe(expected),
  );
});

describe("keysText", () => {
  it.each([
    ["Control+K", true, "⌘K"],
    ["Control+K", false, "Ctrl+K"],
    ["Control+Enter", false, "Ctrl+↵"],
    ["Alt+1", true, "⌥1"],
  ])("%s on a Mac: %s", (keys, mac, expected) => expect(keysText(keys, mac)).toBe(expected));
});

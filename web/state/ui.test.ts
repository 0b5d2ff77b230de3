import { describe, expect, it } from "vitest";
import { initialSettings } from "./model.ts";
import { parseSettings } from "./ui.ts";

describe("parseSettings", () => {
  it.each([[null], ["{"], ["7"], ["null"], ['{"theme":"pink"}'], ['{"driver":"qemu"}'], ['{"fontSize":"big"}']])(
    "%s",
    (text) => expect(parseSettings(text)).toEqual(initialSettings),
  );
  it("keeps what is right and adds what is new", () =>
    expect(parseSettings('{"theme":"dark","fontSize":18,"gone":1}')).toEqual({
      ...initialSettings,
      theme: "dark",
      fontSize: 18,
    }));
});

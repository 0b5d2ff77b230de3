/** The table has every builtin of C++ Nix 2.34, each with its documentation. */
import { describe, expect, test } from "vitest";
import { builtinTable } from "./table.ts";

const EXPECTED = [
  "abort add addDrvOutputDependencies addErrorContext all any appendContext attrNames attrValues baseNameOf bitAnd bitOr bitXor",
  "break catAttrs ceil compareVersions concatLists concatMap concatStringsSep convertHash currentSystem currentTime deepSeq",
  "derivationStrict dirOf div elem elemAt fetchClosure fetchGit fetchMercurial fetchTarball fetchTree fetchurl filter",
  "filterSource findFile flakeRefToString floor foldl' fromJSON fromTOML functionArgs genList genericClosure getAttr getContext",
  "getEnv getFlake groupBy hasAttr hasContext hashFile hashString head import intersectAttrs isAttrs isBool isFloat isFunction",
  "isInt isList isNull isPath isString langVersion length lessThan listToAttrs map mapAttrs match mul nixPath nixVersion outputOf",
  "parseDrvName parseFlakeRef partition path pathExists placeholder readDir readFile readFileType removeAttrs replaceStrings",
  "scopedImport seq sort split splitVersion storeDir storePath stringLength sub substring tail throw toFile toJSON toPath toString",
  "toXML trace traceVerbose tryEval typeOf unsafeDiscardOutputDependency unsafeDiscardStringContext unsafeGetAttrPos warn",
  "zipAttrsWith",
]
  .join(" ")
  .split(" ");

describe("every builtin is there and documented", () => {
  const records = new Map(builtinTable.map((record) => [record.name, record]));
  test.each(EXPECTED)("%s", (name) => expect(records.get(name)?.doc).toMatch(/\.$|`$|\)$/));
  test("and no name comes twice", () => expect(records.size).toBe(builtinTable.length));
});

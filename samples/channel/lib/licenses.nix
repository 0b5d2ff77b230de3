# Licences that packages of the channel name in `meta.license`, by their SPDX identifiers.
{ lib }:
let
  licenses = {
    asl20 = "Apache-2.0";
    bsd2 = "BSD-2-Clause";
    bsd3 = "BSD-3-Clause";
    cc0 = "CC0-1.0";
    cc-by-40 = "CC-BY-4.0";
    gpl2Only = "GPL-2.0-only";
    gpl2Plus = "GPL-2.0-or-later";
    gpl3Only = "GPL-3.0-only";
    gpl3Plus = "GPL-3.0-or-later";
    isc = "ISC";
    lgpl21Plus = "LGPL-2.1-or-later";
    lgpl3Plus = "LGPL-3.0-or-later";
    mit = "MIT";
    mpl20 = "MPL-2.0";
    publicDomain = null;
    unfree = null;
    zlib = "Zlib";
  };
in
lib.mapAttrs (
  shortName: spdxId:
  {
    inherit shortName;
    fullName = if spdxId == null then shortName else spdxId;
    free = shortName != "unfree";
    redistributable = shortName != "unfree";
    deprecated = false;
  }
  // lib.optionalAttrs (spdxId != null) {
    inherit spdxId;
    url = "https://spdx.org/licenses/${spdxId}.html";
  }
) licenses

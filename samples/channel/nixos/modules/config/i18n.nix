# Language, time zone and console: what of them a machine without a screen and without locale archives can honour.
{ config, lib, ... }:
let
  inherit (lib) mkOption types;
  # The rules of a zone in the short form that the C library reads from TZ: there is no zone database in the image.
  zones = {
    "UTC" = "UTC0";
    "Etc/UTC" = "UTC0";
    "Europe/London" = "GMT0BST,M3.5.0/1,M10.5.0";
    "Europe/Dublin" = "GMT0IST,M3.5.0/1,M10.5.0";
    "Europe/Lisbon" = "WET0WEST,M3.5.0/1,M10.5.0";
    "Europe/Athens" = "EET-2EEST,M3.5.0/3,M10.5.0/4";
    "Europe/Helsinki" = "EET-2EEST,M3.5.0/3,M10.5.0/4";
    "Europe/Kyiv" = "EET-2EEST,M3.5.0/3,M10.5.0/4";
    "Europe/Istanbul" = "TRT-3";
    "America/New_York" = "EST5EDT,M3.2.0,M11.1.0";
    "America/Chicago" = "CST6CDT,M3.2.0,M11.1.0";
    "America/Denver" = "MST7MDT,M3.2.0,M11.1.0";
    "America/Los_Angeles" = "PST8PDT,M3.2.0,M11.1.0";
    "America/Sao_Paulo" = "BRT3";
    "Asia/Tokyo" = "JST-9";
    "Asia/Shanghai" = "CST-8";
    "Asia/Kolkata" = "IST-5:30";
    "Australia/Sydney" = "AEST-10AEDT,M10.1.0,M4.1.0/3";
  }
  // lib.genAttrs (map (city: "Europe/${city}") [
    "Amsterdam"
    "Belgrade"
    "Berlin"
    "Brussels"
    "Budapest"
    "Copenhagen"
    "Madrid"
    "Oslo"
    "Paris"
    "Prague"
    "Rome"
    "Stockholm"
    "Vienna"
    "Warsaw"
    "Zurich"
  ]) (_: "CET-1CEST,M3.5.0,M10.5.0/3");
  zone = config.time.timeZone;
in
{
  options = {
    time.timeZone = mkOption {
      type = types.nullOr (types.addCheck types.str (zone: !lib.hasInfix " " zone) // { description = "string without spaces"; });
      default = null;
      example = "Europe/Berlin";
      description = "The time zone for dates shown to people. Null is UTC.";
    };
    i18n.defaultLocale = mkOption {
      type = types.str;
      default = "en_US.UTF-8";
      example = "de_DE.UTF-8";
      description = "The language of messages and formats.";
    };
    i18n.extraLocaleSettings = mkOption {
      type = types.attrsOf types.str;
      default = { };
      example = {
        LC_TIME = "de_DE.UTF-8";
      };
      description = "Single aspects of language, by the names of their variables.";
    };
    console.keyMap = mkOption {
      type = types.str;
      default = "us";
      description = "The keyboard of the text console. The page's own keyboard is used here, so this has no effect.";
    };
  };
  config = {
    environment = {
      sessionVariables = {
        LANG = config.i18n.defaultLocale;
      }
      // config.i18n.extraLocaleSettings
      // lib.optionalAttrs (zone != null && zones ? ${zone}) { TZ = zones.${zone}; };
      etc = {
        "locale.conf".text = lib.concatStrings (
          lib.mapAttrsToList (name: value: "${name}=${value}\n") ({ LANG = config.i18n.defaultLocale; } // config.i18n.extraLocaleSettings)
        );
        timezone.text = "${if zone == null then "UTC" else zone}\n";
      };
    };
    warnings = lib.optional (zone != null && !(zones ? ${zone})) "The machine knows no rules for the time zone `${zone}': times are shown in UTC.";
  };
}

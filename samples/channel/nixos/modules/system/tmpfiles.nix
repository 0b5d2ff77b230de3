# Directories and files that have to be there, as systemd's tmpfiles rules; they are made when the system is activated.
#
# `TYPE PATH MODE USER GROUP AGE ARGUMENT`, with `-` for a default. The types d, D, f, F, w, L, L+, C, r, R, z, Z, e, p and
# their forms with `+` are known; any other is refused when the system is evaluated.
{
  config,
  lib,
  ...
}:
let
  inherit (lib) mkOption types;
  cfg = config.systemd.tmpfiles;

  settings = lib.concatLists (
    lib.mapAttrsToList (
      _: paths:
      lib.concatLists (
        lib.mapAttrsToList (
          path: kinds:
          lib.mapAttrsToList (
            kind: s: "${kind} ${path} ${s.mode} ${s.user} ${s.group} ${s.age} ${s.argument}"
          ) kinds
        ) paths
      )
    ) cfg.settings
  );

  words =
    rule:
    let
      parts = builtins.match "([^ \t]+)[ \t]+([^ \t]+)([ \t]+([^ \t]+))?([ \t]+([^ \t]+))?([ \t]+([^ \t]+))?([ \t]+([^ \t]+))?([ \t]+(.*))?" (lib.trim rule);
      at = n: let v = lib.elemAt parts n; in if v == null || v == "-" || v == "" then null else v;
    in
    if parts == null then
      throw "systemd.tmpfiles.rules: `${rule}' is not a rule: a type and a path are needed."
    else
      {
        type = lib.elemAt parts 0;
        path = lib.removeSuffix "/" (lib.elemAt parts 1);
        mode = at 3;
        user = at 5;
        group = at 7;
        age = at 9;
        argument = at 11;
      };

  command =
    rule:
    let
      w = words rule;
      kind = lib.head (lib.stringToCharacters w.type);
      plus = lib.hasInfix "+" w.type;
      path = lib.escapeShellArg w.path;
      argument = lib.escapeShellArg (if w.argument == null then "" else w.argument);
      own = lib.optionalString (w.user != null || w.group != null) "chown ${if w.user == null then "" else w.user}:${if w.group == null then "" else w.group} ${path}\n";
      permit = default: lib.optionalString (w.mode != null || default != null) "chmod ${lib.removePrefix "~" (lib.removePrefix ":" (if w.mode == null then default else w.mode))} ${path}\n";
      parent = "mkdir -p ${lib.escapeShellArg (dirOf w.path)}\n";
    in
    if kind == "d" || kind == "D" then
      "mkdir -p ${path}\n${permit "0755"}${own}"
    else if kind == "e" then
      "if [ -d ${path} ]; then\n${permit null}${own}:; fi\n"
    else if kind == "f" then
      "${parent}if [ ${if plus then "1 = 1" else "! -e ${path}"} ]; then printf '%b' ${argument} > ${path}; fi\n${permit "0644"}${own}"
    else if kind == "F" then
      "${parent}printf '%b' ${argument} > ${path}\n${permit "0644"}${own}"
    else if kind == "w" then
      "if [ -e ${path} ]; then printf '%b' ${argument} ${if plus then ">>" else ">"} ${path}; fi\n"
    else if kind == "L" then
      parent
      + (
        if plus then
          "if [ -d ${path} ] && [ ! -L ${path} ]; then rm -rf ${path}; fi\nln -sfn ${argument} ${path}\n"
        else
          "[ -e ${path} ] || [ -L ${path} ] || ln -s ${argument} ${path}\n"
      )
    else if kind == "C" then
      "${parent}[ -e ${path} ] || cp -R ${argument} ${path}\n${permit null}${own}"
    else if kind == "r" then
      "rm -f ${w.path}\n"
    else if kind == "R" then
      "rm -rf ${w.path}\n"
    else if kind == "p" then
      "${parent}[ -e ${path} ] || mkfifo ${path}\n${permit "0644"}${own}"
    else if kind == "z" then
      "if [ -e ${path} ]; then\n${permit null}${own}:; fi\n"
    else if kind == "Z" then
      "if [ -e ${path} ]; then\n${lib.optionalString (w.mode != null) "chmod -R ${w.mode} ${path}\n"}${
        lib.optionalString (w.user != null || w.group != null) "chown -R ${if w.user == null then "" else w.user}:${if w.group == null then "" else w.group} ${path}\n"
      }:; fi\n"
    else if kind == "x" || kind == "X" then
      ""
    else
      throw "systemd.tmpfiles.rules: the type `${w.type}' of `${rule}' is not known here.";

  rules = cfg.rules ++ settings;
  field =
    default: description:
    mkOption {
      type = types.str;
      inherit default description;
    };
in
{
  options.systemd.tmpfiles = {
    rules = mkOption {
      type = types.listOf types.str;
      default = [ ];
      example = [ "d /var/lib/notes 0755 root root -" ];
      description = "Rules, one a string.";
    };
    settings = mkOption {
      type = types.attrsOf (
        types.attrsOf (
          types.attrsOf (
            types.submodule {
              options = {
                mode = field "-" "Permissions.";
                user = field "-" "Owner.";
                group = field "-" "Group.";
                age = field "-" "Age after which contents are removed. Nothing is removed here.";
                argument = field "" "What the type needs: a text or a target.";
              };
            }
          )
        )
      );
      default = { };
      description = "Rules in the form file, path, type.";
    };
  };
  config = lib.mkIf (rules != [ ]) {
    environment.etc."tmpfiles.d/00-nixos.conf".text = lib.concatMapStrings (rule: rule + "\n") rules;
    system.activationScripts.tmpfiles = {
      deps = [ "users" ];
      text = lib.concatMapStrings command rules;
    };
  };
}

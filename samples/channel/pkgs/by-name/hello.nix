# The program everybody begins with: a greeting.
{
  lib,
  writeShellScriptBin,
  greeting ? "Hello, world!",
}:
(writeShellScriptBin "hello" ''
  case "''${1:-}" in
    -g | --greeting) echo "''${2:-}" ;;
    -v | --version) echo "hello 2.12" ;;
    *) echo ${lib.escapeShellArg greeting} ;;
  esac
'')
// {
  pname = "hello";
  version = "2.12";
}

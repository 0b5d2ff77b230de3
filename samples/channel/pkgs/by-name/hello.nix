# The program everybody begins with: a greeting.
{
  lib,
  runtimeShell,
  writeTextFile,
  greeting ? "Hello, world!",
}:
writeTextFile rec {
  name = "hello-${passthru.version}";
  executable = true;
  destination = "/bin/hello";
  text = ''
    #!${runtimeShell}
    case "''${1:-}" in
      -g | --greeting) echo "''${2:-}" ;;
      -v | --version) echo "hello ${passthru.version}" ;;
      *) echo ${lib.escapeShellArg greeting} ;;
    esac
  '';
  meta = {
    description = "Prints a friendly greeting";
    mainProgram = "hello";
  };
  passthru = {
    pname = "hello";
    version = "2.12";
  };
}

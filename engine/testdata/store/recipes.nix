# Derivations of the channel's four recipes, each with something special; the oracle builds them natively.
{
  scripts,
  busyboxSeed,
}:
let
  seed = builtins.path {
    name = "busybox-seed";
    path = busyboxSeed;
  };
  busybox = "${seed}/bin/busybox";
  recipe =
    script: name: passAsFile: env:
    derivation (
      {
        inherit name busybox passAsFile;
        system = "i686-linux";
        builder = busybox;
        args = [
          "sh"
          "${scripts + "/${script}.sh"}"
        ];
      }
      // env
    );
  text =
    name: env:
    recipe "text" name [ "text" ] (
      {
        text = "";
        executable = "";
        destination = "";
      }
      // env
    );
  farm =
    name: env:
    recipe "symlink-farm" name [ "links" "paths" ] (
      {
        links = "";
        paths = "";
        pathsToLink = "/";
        ignoreCollisions = "";
      }
      // env
    );
  etc = entries: recipe "etc" "etc" [ "entries" ] { inherit entries; };
  system = env: recipe "system" "nixos-system-x" ([ "links" "files" ] ++ builtins.attrNames (builtins.removeAttrs env [ "links" "files" ])) env;
  tool = text "tool" {
    text = "#!${seed}/bin/sh\necho hello\n";
    executable = "1";
    destination = "bin/tool";
  };
  man = text "tool-man" {
    text = "manual";
    destination = "share/man/man1/tool.1";
  };
  otherTool = text "other-tool" {
    text = "#!${seed}/bin/sh\necho hello\n";
    executable = "1";
    destination = "bin/tool";
  };
  links = farm "links" { links = "a\t/absolute\nb/c\t../relative\nb/d\t${tool}\n"; };
in
{
  textEmpty = text "empty" { };
  textPlain = text "plain" { text = "no newline, a tab\tand \\ backslashes, é and a ' quote"; };
  textScript = tool;
  textDeep = text "deep" {
    text = "x\n";
    destination = "a/b/c/d";
  };
  textSelf = text "self" { text = "I am ${placeholder "out"}\n"; };
  farmEmpty = farm "empty-farm" { };
  farmLinks = links;
  farmMerged = farm "merged" { paths = "5\t${tool}\n5\t${man}\n10\t${links}\n"; };
  farmOnlyBin = farm "only-bin" {
    paths = "5\t${tool}\n5\t${man}\n5\t${links}\n";
    pathsToLink = "/bin /b";
  };
  farmSameBytes = farm "same-bytes" { paths = "5\t${tool}\n5\t${otherTool}\n"; };
  farmPriority = farm "priority" {
    links = "bin/tool\tmine\n";
    paths = "1\t${man}\n5\t${tool}\n";
  };
  farmIgnored = farm "ignored" {
    paths = "5\t${links}\n5\t${farm "links2" { links = "a\t/other\n"; }}\n";
    ignoreCollisions = "1";
  };
  farmCollision = farm "collision" { paths = "5\t${links}\n5\t${farm "links2" { links = "a\t/other\n"; }}\n"; };
  farmFileInTheWay = farm "in-the-way" { paths = "5\t${links}\n6\t${farm "links3" { links = "a/b\t/other\n"; }}\n"; };
  farmDirectoryInTheWay = farm "dir-in-the-way" { paths = "5\t${links}\n6\t${farm "links4" { links = "b\t/other\n"; }}\n"; };
  farmTwice = farm "twice" { links = "a\t1\na\t2\n"; };
  farmNoDirectory = farm "no-directory" { paths = "5\t${text "plain" { text = "x"; }}\n"; };
  etcEmpty = etc "";
  etcFull = etc "hosts\tsymlink\troot\troot\t${tool}/bin/tool\nsystemd/system\tsymlink\troot\troot\t${man}/share\nsudoers\t0440\troot\t1\t/nix/x\nhosts\tsymlink\troot\troot\t${tool}/bin/tool\n";
  etcDuplicate = etc "hosts\tsymlink\troot\troot\t/a\nhosts\tsymlink\troot\troot\t/b\n";
  etcInside = etc "ssh\tsymlink\troot\troot\t/a\nssh/config\tsymlink\troot\troot\t/b\n";
  system = system {
    files = "text\tfile0\tnixos-version\nscript\tfile1\tbin/switch-to-configuration\ntext\tfile2\tempty\n";
    links = "etc\t${tool}/etc\nspecialisation/one\t${man}\n";
    file0 = "26.05 without newline";
    file1 = "#!/bin/sh\necho @out@ @out@/x @other@ \\1 & $HOME\n";
    file2 = "";
  };
  systemEmpty = system {
    files = "";
    links = "";
  };
}

# What a builder sees, and outputs whose paths are known only after the build. The oracle runs all of it natively.
# A script is lines `printf %s "TEXT" > $OUTPUT`, so that a test can play the shell.
let
  derivationOf =
    env:
    derivation (
      {
        system = "i686-linux";
        builder = "/bin/sh";
      }
      // env
    );
  show = env: derivationOf ({ builder = "/bin/busybox"; } // env);
  script = env: lines: derivationOf ({ args = [ "-c" (builtins.concatStringsSep "\n" lines) ]; } // env);
  floating = {
    __contentAddressed = true;
    outputHashMode = "recursive";
    outputHashAlgo = "sha256";
  };
  structured = {
    __structuredAttrs = true;
    outputs = [ "out" "dev" ];
    text = "it's \"quoted\" \\ and é";
    list = [ 1 2 "x y" ];
    set = { a = 1; "b c" = "d"; };
    deep = { a = { }; };
    mixed = [ 1 { } ];
    yes = true;
    no = false;
    nothing = null;
    half = 1.5;
    big = 123456789012;
    "not-a-name" = 1;
    self = placeholder "out";
  };
in
rec {
  environment = show {
    name = "environment";
    args = [ "env" ];
    passAsFile = [ "big" ];
    big = "big text";
    list = [ 1 "two" ];
    empty = "";
    self = "-L${placeholder "out"}/lib";
    outputs = [ "out" "dev" ];
  };
  environmentFixed = show {
    name = "environment-fixed";
    args = [ "env" ];
    outputHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    impureEnvVars = [ "TERRARIUM_NOT_SET" ];
  };
  environmentStructured = show (structured // { name = "environment-structured"; args = [ "env" ]; });
  attrsJson = show (structured // { name = "structured"; args = [ "cat" ".attrs.json" ]; });
  attrsSh = show (structured // { name = "structured"; args = [ "cat" ".attrs.sh" ]; });
  graph = show {
    name = "graph";
    args = [ "cat" "one" "two" ];
    exportReferencesGraph = [ "one" plain "two" chain ];
  };

  plain = script { name = "plain"; } [ ''printf %s "plain text" > $out'' ];
  chain = script { name = "chain"; } [ ''printf %s "uses ${plain} and $out" > $out'' ];
  caSelf = script (floating // { name = "ca-self"; }) [ ''printf %s "I am $out" > $out'' ];
  caPlain = script (floating // { name = "ca-plain"; }) [ ''printf %s "no references" > $out'' ];
  caTwo = script (floating // { name = "ca-two"; outputs = [ "out" "dev" ]; }) [
    ''printf %s "out $out" > $out''
    ''printf %s "dev of $out in $dev" > $dev''
  ];
  caChain = script (floating // { name = "ca-chain"; }) [ ''printf %s "uses ${caTwo.dev} and ${caSelf}" > $out'' ];
  caFlat = script (floating // { name = "ca-flat"; outputHashMode = "flat"; outputHashAlgo = "sha1"; }) [
    ''printf %s "flat" > $out''
  ];
  caText = script (floating // { name = "ca-text"; outputHashMode = "text"; }) [ ''printf %s "text ${plain}" > $out'' ];
  deferred = script { name = "deferred"; } [ ''printf %s "uses ${caChain} and $out" > $out'' ];
}

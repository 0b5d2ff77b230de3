# Derivations made for one feature of a builder each. C++ Nix builds all of them natively, sandboxed and twice; the builder's machine has to
# give the same bytes, or the same refusal. `scripts/record-builds.mjs` records, `npm run campaign builds` compares. Two groups: what Nix
# does as it comes, and what needs its feature `ca-derivations`.
let
  pkgs = import <nixpkgs> { };
  busybox = pkgs.seeds.busybox;
  applets = pkgs.busybox;

  # A script of the static shell, with every applet on the path; `attributes` may override anything.
  script =
    name: attributes: text:
    derivation (
      {
        inherit name;
        system = "i686-linux";
        builder = "${busybox}/bin/busybox";
        args = [
          "sh"
          "-c"
          ''
            export PATH=${applets}/bin
            ${text}
          ''
        ];
      }
      // attributes
    );
  # The same with structured attributes.
  structured = name: attributes: script name ({ __structuredAttrs = true; } // attributes);
  # A shell without arrays takes an output's path from the declarations.
  readOutput = name: "${name}=$(sed -n \"s/^declare -A outputs=.*\\['${name}'\\]='\\([^']*\\)'.*/\\1/p\" .attrs.sh)";
  fixed = hash: attributes: { outputHash = hash; outputHashMode = "flat"; } // attributes;
  floating = {
    __contentAddressed = true;
    outputHashMode = "recursive";
    outputHashAlgo = "sha256";
  };

  dependency = script "dependency" { } "mkdir $out; echo text > $out/file; ln -s file $out/link";
  user = script "user" { } "echo ${dependency} > $out";
  # Two names of a library that does not know itself.
  parts = script "parts" {
    outputs = [ "bin" "dev" "out" ];
  } "mkdir $bin $dev $out; echo $out > $bin/p; echo $dev > $dev/self; echo nothing > $out/l";
  graphed = [ dependency user ];
in
{
  plain = {
  # ---- what a builder sees
  environment = script "environment" {
    text = "one\ntwo";
    unicode = "é → ∞";
    empty = "";
    number = 42;
    float = 0.5;
    yes = true;
    no = false;
    nothing = null;
    list = [ 1 "two" [ 3 "four" ] ];
    path = dependency;
    spaces = "  a  b  ";
    dollar = "$HOME \${out} `x` 'q' \"d\" \\";
    self = placeholder "out";
    PATH = "/mine";
    HOME = "/my/home";
    TMPDIR = "/my/tmp";
  } "cat /proc/self/environ | tr '\\0' '\\n' | sort > $out";
  environmentOfTheShell = script "environment-of-the-shell" { } "set | grep -v -e ^PPID -e ^PS -e ^OPTIND -e ^IFS | sort > $out";
  arguments = script "arguments" {
    args = [ "sh" "-c" "export PATH=${applets}/bin; tr '\\0' '\\n' < /proc/$$/cmdline | tail -n 4 > $out" "zero" "a b" "" (placeholder "out") ];
  } "";
  largeVariable = script "large-variable" {
    large = builtins.concatStringsSep "" (builtins.genList (_: "0123456789abcdef") 6000);
  } "printf %s \"$large\" | sha256sum > $out";
  tooLargeVariable = script "too-large-variable" {
    large = builtins.concatStringsSep "" (builtins.genList (_: "0123456789abcdef") 9000);
  } "echo never > $out";
  passAsFile = script "pass-as-file" {
    passAsFile = [ "large" "self" ];
    large = builtins.concatStringsSep "" (builtins.genList (_: "0123456789abcdef") 20000);
    self = placeholder "out";
  } "mkdir $out; cp $largePath $out/large; cp $selfPath $out/self; echo $largePath $selfPath \${large-unset} > $out/names";
  structuredAttrs = structured "structured-attrs" {
    outputs = [ "out" "dev" ];
    text = "it's \"quoted\" \\ and é";
    list = [ 1 2 "x y" { deep = [ ]; } ];
    set = { a = 1; "b c" = null; };
    half = 1.5;
    big = 9007199254740993;
    yes = true;
    "not a name" = 1;
    self = placeholder "out";
  } "${readOutput "out"}; ${readOutput "dev"}; mkdir $out; cp $NIX_ATTRS_JSON_FILE $NIX_ATTRS_SH_FILE $out; env | sort > $dev";
  structuredGraph = structured "structured-graph" {
    exportReferencesGraph = { graph = graphed; one = [ dependency ]; };
  } "${readOutput "out"}; cp .attrs.json $out";
  referencesGraph = script "references-graph" {
    exportReferencesGraph = [ "graph" user "two" parts.bin ];
  } "mkdir $out; cp graph two $out";
  inputsOnly = script "inputs-only" { text = user; } "ls -A /nix/store > /tmp/names; sort /tmp/names > $out; ls -A /nix >> $out";
  inputModes = script "input-modes" { } "cd ${dependency}; stat -c '%a %Y %F' . file link > $out";
  sources = script "sources" {
    file = builtins.toFile "some-text" "text";
    tree = builtins.path {
      name = "filtered";
      path = ./source;
      filter = path: _: builtins.baseNameOf path == "kept";
    };
  } "mkdir $out; cp $file $out/file; ls $tree > $out/tree; cat /proc/self/environ | tr '\\0' '\\n' | grep -e ^tree= -e ^file= > $out/env";
  identity = script "identity" { } "{ id -u; id -g; id; umask; hostname; pwd; whoami; uname -s; uname -n; } > $out 2>&1";
  etc = script "etc" { } "mkdir $out; ls -A /etc > $out/names; cp /etc/passwd /etc/group /etc/hosts $out; ls -A / >> $out/names";
  etcOfFixedOutput = script "etc-of-fixed-output" (fixed "sha256-P1wC62mGOrIeqKkT2M2+40fOT4Fw9tji/KV7BnCct94=" { }) "ls -A /etc > $out";
  devices = script "devices" { } "cd /dev; for i in $(ls | grep -v kvm); do stat -c '%n %F %t %T' $i; done | sort > $out; readlink fd stdin stdout stderr >> $out; (echo x > full) 2>> $out; head -c 4 zero | od -c >> $out; test $(head -c 9 urandom | wc -c) = 9 && echo random >> $out; : > shm/x && echo shm >> $out";
  loopback = script "loopback" { } "grep -o '^ *[a-z0-9]*:' /proc/net/dev | sort > $out; mkdir /tmp/w; echo hi > /tmp/w/f; httpd -p 127.0.0.1:80 -h /tmp/w 2>> $out; httpd -p 127.0.0.1:8080 -h /tmp/w; wget -q -O - http://localhost:8080/f >> $out";
  noNetwork = script "no-network" { } "wget -T 3 http://1.2.3.4/ > $out 2>&1; echo $? >> $out; nslookup example.org > /dev/null 2>&1; echo $? >> $out";
  standardInput = script "standard-input" { } "cat > $out; echo end >> $out; test -t 0 || echo no terminal >> $out";
  limits = script "limits" { } "{ ulimit -c; ulimit -s; } > $out";
  randomisation = script "randomisation" { } "a=$(grep stack /proc/self/maps); b=$(grep stack /proc/self/maps); test \"$a\" = \"$b\" && echo the same > $out";
  buildDirectory = script "build-directory" { } "{ pwd; stat -c %a .; ls -A; ls -A /tmp; stat -c %a /tmp; touch here /tmp/there; ls -A . /tmp; } > $out";
  clock = script "clock" { } "test $(date +%s) -gt 1700000000 && echo later > $out; env | grep -c SOURCE_DATE >> $out; date +%Z >> $out";
  processes = script "processes" { } "{ echo $$; cat /proc/1/comm; } > $out";
  leftBehind = script "left-behind" { } "(sleep 1000; echo late > $out) & echo early > $out";
  privileges = script "privileges" { } "{ grep -e ^CapEff -e ^Uid -e ^Gid -e ^NoNewPrivs /proc/self/status; } > $out";
  chown = script "chown" { } "touch f; chown 0 f 2> $out; echo $? >> $out; chown 1000 f && echo own >> $out";
  mknod = script "mknod" { } "mknod n c 1 3 2> $out; echo $? >> $out; mount -t tmpfs x /tmp 2>> $out; echo $? >> $out";
  setuid = script "setuid" { } "touch f; chmod 4755 f 2> $out; echo $? >> $out; chmod 2755 f 2>> $out; echo $? >> $out; stat -c %a f >> $out";
  stickyDirectory = script "sticky-directory" { } "mkdir $out; mkdir $out/s; chmod 1755 $out/s";
  rootDirectory = script "root-directory" { } "stat -c '%a' / /nix /nix/store /etc /build /tmp > $out";
  outsideOutputs = script "outside-outputs" { } "echo x > /nix/store/other; echo y > $out";

  # ---- what it may leave
  outputs = parts;
  firstOutputIsNotOut = script "first-output" { outputs = [ "lib" "doc" ]; } "echo l > $lib; mkdir -p $doc/share; echo $lib > $doc/share/d";
  selfReference = script "self-reference" { } "mkdir $out; echo $out > $out/me; ln -s $out/me $out/link";
  referencesEverywhere = script "references-everywhere" { } "mkdir $out; ln -s ${dependency}/file $out/link; touch $out/$(basename ${user} | cut -c 1-32); head -c 65520 /dev/zero > $out/far; printf %s ${parts.dev} >> $out/far; head -c 100 /dev/zero >> $out/far";
  referencesHidden = script "references-hidden" { } "echo ${dependency} | tr a-z A-Z > $out; echo ${user} | gzip -n >> $out";
  referenceByHashOnly = script "reference-by-hash-only" { input = dependency; } "echo $input | cut -c 12-43 > $out";
  linkAsOutput = script "link-as-output" { } "ln -s ${dependency}/file $out";
  linkToOtherOutput = script "link-to-other-output" { outputs = [ "out" "man" ]; } "mkdir $man; echo m > $man/m; ln -s $man $out";
  modes = script "modes" { } "mkdir $out; cd $out; for m in 000 400 600 644 755 111 010 001 700 100 070 444 555 200; do echo $m > $m; chmod $m $m; done; mkdir d r; echo x > r/f; chmod 111 r; chmod 700 d";
  modeOfFile = script "mode-of-file" { } "echo x > $out; chmod 700 $out";
  worldWritable = script "world-writable" { } "mkdir $out; chmod 777 $out";
  links = script "links" { } "mkdir $out; cd $out; ln -s /absolute a; ln -s ../relative b; ln -s missing c; ln -s . d; ln -s \"with space\" e; ln -s $(printf 'x%.0s' $(seq 1 300)) f";
  empty = script "empty" { } "mkdir -p $out/a/b $out/c; : > $out/e; : > $out/c/x; chmod +x $out/c/x";
  emptyFile = script "empty-file" { } ": > $out";
  oddNames = script "odd-names" { } "mkdir $out; cd $out; for n in $(printf '\\377\\376') é 'a b' -n '*' '~' A a Z .hidden $(printf 'x%.0s' $(seq 1 255)); do echo \"$n\" > \"./$n\"; done; echo n > \"$(printf 'new\\nline')\"; echo c > \"c~nix~case~hack~1\"";
  deepTree = script "deep-tree" { } "d=$out; mkdir $d; cd $d; i=0; while test $i -lt 50; do mkdir d; cd d; i=$((i+1)); done; echo bottom > f";
  tooDeepTree = script "too-deep-tree" { } "mkdir $out; cd $out; for i in $(seq 1 80); do mkdir d; cd d; done";
  hardLinks = script "hard-links" { } "mkdir $out; echo one > $out/a; ln $out/a $out/b; echo two >> $out/b; chmod +x $out/a";
  sparse = script "sparse" { } "truncate -s 3000000 $out; printf x | dd of=$out bs=1 seek=1000000 conv=notrunc 2> /dev/null";
  large = script "large" { } "yes terrarium | head -c 12000000 > $out";
  manyFiles = script "many-files" { } "mkdir $out; cd $out; for i in $(seq 1 600); do echo $i > $i; done";
  unordered = script "unordered" { } "mkdir $out; cd $out; for i in 9 b 10 a.b a a-b a_b A 1; do mkdir $i; echo $i > $i/f; done";
  times = script "times" { } "mkdir $out; touch -d '2001-02-03 04:05:06' $out/f; stat -c %Y $out/f > $out/g";
  fifo = script "fifo" { } "mkdir $out; mkfifo $out/pipe";
  compressed = script "compressed" { } "mkdir $out; for i in $(seq 1 500); do echo line $i; done > t; gzip -n -c t > $out/t.gz; tar -c -f - t | tar -t -v -f - | cut -d ' ' -f 1 > $out/listed; { sha256sum t; md5sum t; cksum t; } | cut -c 1-64 > $out/sums";
  name = script "a.b+c?d=e_f-1.0" { } "echo $name > $out";

  changing = script "changing" { } "mkdir $out; head -c 20 /dev/urandom > $out/bytes; echo same > $out/same";

  # ---- rules for outputs
  allowedReferences = script "allowed-references" { allowedReferences = [ dependency "out" ]; } "echo ${dependency} $out > $out";
  allowedReferencesBroken = script "allowed-references-broken" { allowedReferences = [ ]; } "echo ${dependency} > $out";
  allowedSelfBroken = script "allowed-self-broken" { allowedReferences = [ dependency ]; } "echo $out > $out";
  allowedRequisites = script "allowed-requisites" { allowedRequisites = [ user dependency ]; } "echo ${user} > $out";
  allowedRequisitesBroken = script "allowed-requisites-broken" { allowedRequisites = [ user ]; } "echo ${user} > $out";
  disallowedReferencesBroken = script "disallowed-references-broken" { disallowedReferences = [ dependency ]; } "echo ${dependency} > $out";
  disallowedReferencesKept = script "disallowed-references-kept" { disallowedReferences = [ dependency ]; } "echo ${user} > $out";
  disallowedRequisitesBroken = script "disallowed-requisites-broken" { disallowedRequisites = [ dependency ]; } "echo ${user} > $out";
  disallowedOutputs = script "disallowed-outputs" { outputs = [ "out" "dev" ]; disallowedReferences = [ "dev" ]; } "echo $dev > $out; echo d > $dev";
  outputChecks = structured "output-checks" {
    outputs = [ "out" "dev" ];
    outputChecks = {
      out = { disallowedReferences = [ "dev" ]; maxSize = 1000; };
      dev = { allowedReferences = [ "out" ]; maxClosureSize = 100000; };
    };
  } "${readOutput "out"}; ${readOutput "dev"}; echo o > $out; echo $out > $dev";
  outputChecksBroken = structured "output-checks-broken" {
    outputChecks.out.maxSize = 10;
  } "${readOutput "out"}; echo far more than ten bytes > $out";
  outputChecksClosure = structured "output-checks-closure" {
    outputChecks.out.maxClosureSize = 100;
  } "${readOutput "out"}; echo ${dependency} > $out";
  discardReferences = structured "discard-references" {
    unsafeDiscardReferences.out = true;
  } "${readOutput "out"}; echo ${dependency} > $out";
  referenceCycle = script "reference-cycle" { outputs = [ "out" "dev" ]; } "echo $dev > $out; echo $out > $dev";

  # ---- fixed outputs
  fixedFlat = script "fixed-flat" (fixed "sha256-DDBxQY5jVuYUiYyE7QZMqV6IVRvAgRtTS98ZUuza5TQ=" { }) "echo fixed > $out; env | grep -e NIX_OUTPUT_CHECKED -e GIVEN";
  fixedMismatch = script "fixed-mismatch" (fixed "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" { }) "echo other > $out";
  fixedRecursive = script "fixed-recursive" (fixed "sha256-Uj4Dbcw/9nRp6ofp14p6pZgZhadPnK9E0HIQ7xkD9jw=" { outputHashMode = "recursive"; }) "mkdir $out; echo f > $out/f; chmod +x $out/f";
  fixedSha1 = script "fixed-sha1" { outputHash = "ded5ba42480fe75dcebba1ce068489ff7be2186a"; outputHashAlgo = "sha1"; } "echo s > $out";
  fixedMd5 = script "fixed-md5" { outputHash = "d41d8cd98f00b204e9800998ecf8427e"; outputHashAlgo = "md5"; } ": > $out";
  fixedSha512 = script "fixed-sha512" { outputHash = "sha512-z4PhNX7vuL3xVChQ1m2AB9Yg5AULVxXcg/SpIdNs6c5H0NE8XYXysP+DGNKHfuwvY7kxvUdBeoGlODJ6+SfaPg=="; outputHashMode = "flat"; } ": > $out";
  fixedExecutable = script "fixed-executable" (fixed "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" { }) "echo x > $out; chmod +x $out";
  fixedDirectory = script "fixed-directory" (fixed "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" { }) "mkdir $out";
  fixedReferring = script "fixed-referring" (fixed "sha256-DVo7FXa2kUMfpTsA6UZbpwWJZUU/30CbUUL0eHkhfdA=" { outputHashMode = "recursive"; }) "echo ${dependency} > $out";
  fixedImpure = script "fixed-impure" (fixed "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" { impureEnvVars = [ "NOT_SET_ANYWHERE" ]; }) "env | grep NOT_SET; echo $NOT_SET_ANYWHERE > $out";
  fixedText = script "fixed-text" { outputHash = "sha256-ueaOG+o+WxnKay+YtzpUtz2q+qJQSEkC4JmC4HoS5zM="; outputHashMode = "text"; } "echo text > $out";
  fixedUser = script "fixed-user" { } "cat ${script "fixed-flat" (fixed "sha256-DDBxQY5jVuYUiYyE7QZMqV6IVRvAgRtTS98ZUuza5TQ=" { }) "echo fixed > $out; env | grep -e NIX_OUTPUT_CHECKED -e GIVEN"} > $out";


  # ---- what ends badly
  exitCode = script "exit-code" { } "echo one; echo two >&2; exit 3";
  longLog = script "long-log" { } "for i in $(seq 1 40); do echo line $i; done; exit 1";
  logWithoutNewline = script "log-without-newline" { } "printf 'no newline'; exit 1";
  killed = script "killed" { } "echo going; sh -c 'kill -9 $$'";
  signalled = script "signalled" { } "sleep 5 & kill -9 $!; wait $!; exit $?";
  terminated = script "terminated" { } "kill -TERM $$; kill -9 $$; echo no signal for the first process > $out";
  noOutput = script "no-output" { } "echo made nothing";
  oneOutputMissing = script "one-output-missing" { outputs = [ "out" "dev" ]; } "echo x > $out";
  noBuilder = script "no-builder" { builder = "/does/not/exist"; } "";
  builderNotExecutable = script "builder-not-executable" { builder = "${dependency}/file"; } "";
  builderIsDirectory = script "builder-is-directory" { builder = "${dependency}"; } "";
  noShebang = script "no-shebang" { builder = builtins.toFile "script" "echo x > $out"; } "";
  dependencyFails = script "dependency-fails" { input = script "fails" { } "echo why; exit 2"; } "echo never > $out";
  twoDependenciesFail = script "two-dependencies-fail" {
    one = script "fails-1" { } "exit 1";
    two = script "fails-2" { } "exit 2";
  } "echo never > $out";
  fixedFails = script "fixed-fails" (fixed "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" { }) "exit 1";
  otherSystem = script "other-system" { system = "riscv64-linux"; } "echo never > $out";
  missingFeature = script "missing-feature" { requiredSystemFeatures = [ "unheard-of" ]; } "echo never > $out";
  noSandbox = script "no-sandbox" { __noChroot = true; } "echo never > $out";
  # Flags of these stand in scripts/record-builds.mjs.
  timeout = script "timeout" { } "echo begun; i=0; while test $i -lt 40; do echo $i > /dev/null; sleep 0.5; i=$((i+1)); done";
  silence = script "silence" { } "echo begun; sleep 20";
  silentFirst = script "silent-first" { } "sleep 20";
  keepGoing = script "keep-going" {
    one = script "fails-1" { } "exit 1";
    two = script "fails-2" { } "exit 2";
    three = script "succeeds" { } "echo fine > $out";
  } "echo never > $out";
  unknownBuiltin = derivation { name = "unknown-builtin"; system = "builtin"; builder = "builtin:unheard-of"; };

  # ---- builders of Nix's own
  buildenv = derivation {
    name = "buildenv";
    system = "builtin";
    builder = "builtin:buildenv";
    manifest = builtins.toFile "manifest" "";
    derivations = [ "true" 5 1 dependency "true" 5 1 parts.dev "false" 5 1 user ];
  };
  unpackChannel = derivation {
    name = "unpack-channel";
    system = "builtin";
    builder = "builtin:unpack-channel";
    channelName = "tree";
    src = script "channel.tar" { } "mkdir tree; echo x > tree/f; ln -s f tree/l; touch -d '2001-02-03 04:05:06' tree/f tree; tar -c -f $out tree/f tree/l";
  };
  fetchurl = derivation {
    name = "fetchurl";
    system = "builtin";
    builder = "builtin:fetchurl";
    url = "file://${builtins.toFile "fetched" "fetched\n"}";
    outputHash = "sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  };
  };

  # ---- outputs named by their content
  floating = {
  floatingSelf = script "floating-self" floating "mkdir $out; echo $out > $out/me; ln -s $out/me $out/link; echo $out $out > $out/twice";
  floatingOutputs = script "floating-outputs" (floating // { outputs = [ "out" "dev" ]; }) "echo $out > $out; echo $dev $out > $dev";
  floatingUser = script "floating-user" floating "cat ${script "floating-self" floating "mkdir $out; echo $out > $out/me; ln -s $out/me $out/link; echo $out $out > $out/twice"}/me > $out";
  floatingFlat = script "floating-flat" (floating // { outputHashMode = "flat"; outputHashAlgo = "sha512"; }) "echo flat > $out";
  floatingText = script "floating-text" (floating // { outputHashMode = "text"; }) "echo ${dependency} > $out";
  floatingSha1 = script "floating-sha1" (floating // { outputHashAlgo = "sha1"; }) "mkdir $out; echo x > $out/x";
  deferred = script "deferred" { } "echo ${script "floating-flat" (floating // { outputHashMode = "flat"; outputHashAlgo = "sha512"; }) "echo flat > $out"} $out > $out";
  floatingExecutable = script "floating-executable" (floating // { outputHashMode = "flat"; }) "echo x > $out; chmod +x $out";
  };
}

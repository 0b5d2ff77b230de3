mkdir -p a/sub b; echo '{ outputs = { self }: { v = 1; lib.f = x: x + 1; packages.i686-linux.default = derivation { name = "d"; builder = "x"; system = "i686-linux"; outputs = [ "out" "dev" ]; }; packages.i686-linux.m = derivation { name = "m"; builder = "x"; system = "i686-linux"; outputs = [ "out" "dev" ]; meta.outputsToInstall = [ "dev" ]; }; }; }' > a/flake.nix
cd a
T nix eval --apply 'f: f 2' .#lib.f
T nix eval --raw .#v
T nix eval --json .#v
T nix eval .#packages --json
T nix build --dry-run .^dev
T nix build --dry-run --json '.^*'
T nix build --dry-run --json .#m
T nix build --dry-run --json '.#m^out'
T nix build --dry-run '.#m^nope'
T nix build --dry-run --json --expr 'derivation { name = "e"; builder = "x"; system = "i686-linux"; }'
T nix build --dry-run --json --file ./flake.nix
T nix build --dry-run --json --impure --expr '{ a = derivation { name = "e"; builder = "x"; system = "i686-linux"; }; }' a
T nix build --dry-run .#default .#m
T nix build --dry-run nope
T nix eval --file nope.nix
T nix eval --file flake.nix outputs
T nix eval --expr 1 --file x
T nix eval --expr '{ a.b = 1; }' a.b
T nix eval --expr '{ a.b = 1; }' a.c
T nix eval --expr 'x: x'
T nix eval --expr '{ x, y ? 2 }: x + y' --arg x 1
T nix eval --expr '{ x }: x' --argstr x hi
T nix eval --raw --expr '{ }'
T nix eval --json --expr 'x: x'
T nix eval --read-only --expr '1'
T nix eval --expr 'builtins.currentSystem'
T nix eval --impure --expr 'builtins.currentSystem'
T nix eval --expr 'builtins.getEnv "HOME"'
T nix eval --impure --expr 'builtins.getEnv "HOME"'
T nix eval --expr '/tmp'
T nix eval --expr './.'
T nix eval --expr '"${./flake.nix}"'
T nix eval --impure --expr '"${./flake.nix}"'
T nix eval --expr '<nixpkgs>'
T nix eval --expr 'builtins.readFile ./flake.nix'
T nix eval --expr 'import ./flake.nix'
T nix eval --write-to ../out --expr '{ a = "x"; b.c = "y"; }'
T cat ../out/b/c
T nix eval --write-to ../out2 --expr '{ a = 1; }'
T nix eval nixpkgs#hello
T nix eval flake:nope#x
T nix eval .#v .#v
T nix eval --nope
T nix eval --json --raw --expr 1
T nix flake show --json --all-systems
T nix flake show --legacy
T nix flake show nope
T nix flake metadata nope --json
T nix flake lock nope
T nix flake init
T nix flake init -t .#nope
T nix flake new
T nix flake info
T nix flake update --flake ../b
T nix flake update a b
T nix flake lock --nope
T nix flake prefetch
T nix flake check nope






T nix eval --expr 'builtins.getFlake "path:/tmp/terrarium-flakes/world/a"'
T nix eval --impure --expr '(builtins.getFlake "path:/tmp/terrarium-flakes/world/a?narHash=sha256-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").v'
T nix eval --impure --expr '(builtins.getFlake "path:/tmp/terrarium-flakes/world/a").narHash'
T nix eval --impure --expr 'builtins.getFlake "nope"'
T nix eval --impure --expr 'builtins.getFlake 1'
T nix eval --impure --expr 'builtins.getFlake "./a"'
T nix eval --impure --expr 'builtins.getFlake "/tmp/terrarium-flakes/world/nope"'
T nix eval --impure --expr 'builtins.attrNames (builtins.getFlake "path:/tmp/terrarium-flakes/world/a?dir=sub")'
T nix eval path:.#v
T nix eval path:./sub/..#v
T nix eval 'path:/tmp/terrarium-flakes/world/a?foo=1#v'
T nix eval /tmp/terrarium-flakes/world/a#v
T nix eval ../a#v
T nix eval .//#v
T nix eval '.?dir=sub#v'
T nix eval ./flake.nix
cd sub; T nix eval #v
T nix eval

mkdir -p p q; echo '{ outputs = { self }: { }; }' > q/flake.nix; git init -q g; (cd g; echo '{ outputs = { self }: { }; }' > flake.nix; commit)
cd p; D() { echo "(derivation { name = \"$1\"; builder = \"/bin/sh\"; system = \"i686-linux\"; args = [ \"-c\" \"echo > \$out\" ]; } // { $2 })"; }
cat > flake.nix <<X
{ inputs.q.url = "path:/tmp/terrarium-flakes/world/q"; inputs.g.url = "git+file:///tmp/terrarium-flakes/world/g"; inputs.n = { url = "path:./sub"; flake = false; }; inputs.q2.follows = "q";
 outputs = { self, ... }: { packages.i686-linux = { hello = $(D hello-1.2 'meta.description = "A friendly hello program";'); default = $(D foo-lib-2.0b 'meta = {};'); "a.b" = $(D x); };
 legacyPackages.i686-linux = { python = { recurseForDerivations = true; hello = $(D pyhello-3); }; hidden = { hello = $(D h); }; ruby.hello = $(D r); }; };
}
X
mkdir sub; echo > sub/f
T nix flake lock
T nix flake archive
T nix flake archive --json
T nix flake archive --json --dry-run
T nix flake archive ../g --json
T nix flake prefetch ../g
T nix flake prefetch ../g --json
T nix flake prefetch git+file:///tmp/terrarium-flakes/world/g
T nix flake prefetch git+file:///tmp/terrarium-flakes/world/g --json
T nix flake prefetch-inputs
T nix flake clone ../q --dest ../q2
T ls ../q2
T nix flake clone ../q --dest ../q2
T nix flake clone ../q
T nix search . hello
T nix search . '^hello'
T nix search . 'friend.*PRO'
T nix search . hello program
T nix search . ^ --exclude hello
T nix search --json . ^
T nix search .#packages.i686-linux ^
T nix search .#nope ^
T nix search --expr '{ a = derivation { name = "zork-1"; builder = "x"; system = "x"; }; b.c = derivation { name = "zork2-2"; builder = "x"; system = "x"; meta.description = "zorkzork"; }; }' zork
T nix search . 'h(e' 
T nix registry add foo ../q
T nix registry add foo path:/tmp/terrarium-flakes/world/q
T nix registry add foo/bar path:/tmp/terrarium-flakes/world/g
T nix registry list
T cat $HOME/.config/nix/registry.json
T nix registry resolve foo
T nix registry resolve foo/bar
T nix registry resolve foo/baz
T nix registry resolve zork
T nix registry resolve github:a/b
T nix registry add gg git+file:///tmp/terrarium-flakes/world/g
T nix registry pin gg
T nix registry pin hh git+file:///tmp/terrarium-flakes/world/g
T cat $HOME/.config/nix/registry.json
T nix registry add 'foo bar' path:/x
T nix registry add foo
T nix registry remove gg
T nix registry list
T nix flake metadata foo
T nix flake metadata foo --json
T nix flake metadata gg
T nix registry add nixpkgs github:NixOS/nixpkgs/nixos-23.11
T nix registry resolve nixpkgs
T nix registry resolve nixpkgs/nixos-22.11
T nix registry resolve nixpkgs/b8697e57f10292a6165a20f03d2f42920dfaf973
T nix registry list --no-registries
T nix eval --no-registries foo#x
T nix eval --option use-registries false foo#x
echo '{ outputs = { self, foo }: { x = 1; }; }' > flake.nix; T nix eval .#x
echo '{ outputs = { self, foo }: { x = 1; }; }' > flake.nix; T nix eval --override-flake foo path:/tmp/terrarium-flakes/world/q .#x
T cat flake.lock

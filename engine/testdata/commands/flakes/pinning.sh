git init -q g; cd g; mkdir sub
echo '{ inputs.d.url = "path:./sub"; outputs = { self, d }: { x = throw "a"; y = d.y; z = builtins.unsafeGetAttrPos "x" self; p = d.p; i = d.i; n = d.n; m = import ./nope.nix; r = ./.; t = toString ./.; c = __curPos; ii= d.sourceInfo; }; }' > flake.nix; echo '{ outputs = { self }: { y = throw "b"; p = self.outPath; i = self.sourceInfo; n = builtins.attrNames self; }; }' > sub/flake.nix
commit
T nix eval .#i
git -C . checkout -q . ; git clean -qfd; rm -f flake.lock; git add -A; git reset -q --hard
T nix eval .#x
T nix eval .#p
git reset -q --hard
T nix flake lock
T nix eval .#ii
T nix eval .#n
git add -A; git commit -qm l
T nix eval .#x
T nix eval .#y
T nix eval .#p
T nix eval .#z
T nix eval .#t
T nix eval .#c
T nix eval .#i
T nix eval .#ii
T nix eval .#nope
T nix eval --impure --expr "builtins.readFile (builtins.fetchGit $W/g + \"/nope\")"
T nix eval --impure --expr "import (builtins.fetchGit $W/g + \"/flake.nix\") 1"
T nix eval --impure --expr "import ((builtins.fetchGit { url = $W/g; rev = \"$(git rev-parse HEAD)\"; }) + \"/flake.nix\") 1"
git rm -q --cached flake.nix; T nix eval .#x
git reset -q --hard; git mv flake.nix flake2.nix; T nix eval .#x
git commit -qam x;  T nix eval "git+file://$W/g#x"
cd ..; mkdir a b c; echo '{ inputs.nixpkgs.url = "path:/tmp/terrarium-flakes/world/c"; outputs = { self, nixpkgs }: { v = nixpkgs.v; }; }' > b/flake.nix
echo '{ outputs = { self }: { v = 1; }; }' > c/flake.nix
mkdir c2; echo '{ outputs = { self }: { v = 2; }; }' > c2/flake.nix
cd a
F() { echo "$1" > flake.nix; T nix eval .#v; T cat flake.lock;  }
F '{ inputs.b.url = "path:/tmp/terrarium-flakes/world/b"; outputs = { self, b }: { v = b.v; }; }'
F '{ inputs.b.url = "path:/tmp/terrarium-flakes/world/b"; inputs.nixpkgs.url = "path:/tmp/terrarium-flakes/world/c2"; inputs.b.inputs.nixpkgs.follows = "nixpkgs"; outputs = { self, b, nixpkgs }: { v = b.v; }; }'
F '{ inputs.b.url = "path:/tmp/terrarium-flakes/world/b"; inputs.b.inputs.nixpkgs.url = "path:/tmp/terrarium-flakes/world/c2"; outputs = { self, b }: { v = b.v; }; }'
F '{ inputs.b.url = "path:/tmp/terrarium-flakes/world/b"; inputs.b.inputs.zork.url = "path:/tmp/terrarium-flakes/world/c2"; outputs = { self, b }: { v = b.v; }; }'
F '{ inputs.b.url = "path:/tmp/terrarium-flakes/world/b"; inputs.c.follows = "b/nixpkgs"; outputs = { self, b, c }: { v = c.v; }; }'
F '{ inputs.b.url = "path:/tmp/terrarium-flakes/world/b"; inputs.b.flake = false; outputs = { self, b }: { v = builtins.attrNames b; }; }'
T nix flake metadata
T nix flake lock --override-input b/nixpkgs path:/tmp/terrarium-flakes/world/c2
T nix flake lock --override-input zork path:/tmp/terrarium-flakes/world/c2
F '{ inputs.b.url = "path:/tmp/terrarium-flakes/world/b"; outputs = { self, b }: { v = b.v; }; }'
T nix flake lock --override-input b/nixpkgs path:/tmp/terrarium-flakes/world/c2
T cat flake.lock
T nix flake update b/nixpkgs
T nix flake update b
T nix eval --override-input b/nixpkgs path:/tmp/terrarium-flakes/world/c2 .#v
T nix eval --no-write-lock-file --override-input b/nixpkgs path:/tmp/terrarium-flakes/world/c2 .#v
T nix eval --no-update-lock-file --override-input b/nixpkgs path:/tmp/terrarium-flakes/world/c2 .#v
F '{ outputs = { self }: { v = 9; }; }'
echo '{' > flake.lock; T nix eval .#v
echo '{"version":3}' > flake.lock; T nix eval .#v
echo '{"version":7,"root":"root","nodes":{"root":{"inputs":{"a":"b"}}}}' > flake.lock; T nix eval .#v
echo '{"version":7,"root":"root","nodes":{"root":{}}}' > flake.lock; T nix eval .#v
rm flake.lock; ln -s /nope flake.lock;  T nix eval .#v; rm flake.lock
echo '{ inputs.a.url = "path:/tmp/terrarium-flakes/world/a"; outputs = { self, a }: { v = a.v; }; }' > ../b/flake.nix
F '{ inputs.b.url = "path:/tmp/terrarium-flakes/world/b"; outputs = { self, b }: { v = b.v; }; }'
echo '{ inputs.p.url = "path:../c"; outputs = { self, p }: { v = p.v; }; }' > ../b/flake.nix
F '{ inputs.b.url = "path:/tmp/terrarium-flakes/world/b"; outputs = { self, b }: { v = b.v; }; }'
F '{ inputs.p = { url = "./sub"; flake = false; }; outputs = { self, p }: { v = p; }; }'
mkdir sub;  F '{ inputs.p = { url = "./sub"; flake = false; }; outputs = { self, p }: { v = p.outPath; }; }'

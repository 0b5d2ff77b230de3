mkdir n h u a; echo '{ outputs = { self }: { v = "n"; }; }' > n/flake.nix
echo '{ inputs.n.url = "path:/tmp/terrarium-flakes/world/n"; outputs = { self, n }: { v = "h" + n.v; }; }' > h/flake.nix
echo '{ inputs.n.url = "path:/tmp/terrarium-flakes/world/n"; inputs.h.url = "path:/tmp/terrarium-flakes/world/h"; inputs.h.inputs.n.follows = "n"; outputs = { self, n, h }: { v = "u" + h.v; }; }' > u/flake.nix
cd u
T nix flake lock
cd ..
cd a; F() { echo "$1" > flake.nix; T nix eval .#v;  }
F '{ inputs.u.url = "path:/tmp/terrarium-flakes/world/u"; outputs = { self, u }: { v = u.v; }; }'
T cat flake.lock
T nix eval .#v
F '{ inputs.u.url = "path:/tmp/terrarium-flakes/world/u"; inputs.n.url = "path:/tmp/terrarium-flakes/world/n"; inputs.u.inputs.n.follows = "n"; outputs = { self, u, n }: { v = u.v; }; }'
T cat flake.lock
F '{ inputs.u.url = "path:/tmp/terrarium-flakes/world/u"; inputs.n.url = "path:/tmp/terrarium-flakes/world/n"; inputs.u.inputs.h.inputs.n.follows = "n"; outputs = { self, u, n }: { v = u.v; }; }'
T cat flake.lock
F '{ inputs.u.url = "path:/tmp/terrarium-flakes/world/u"; inputs.n.follows = "u/n"; outputs = { self, u, n }: { v = n.v; }; }'
T cat flake.lock
F '{ inputs.u.url = "path:/tmp/terrarium-flakes/world/u"; inputs.n.follows = "u/h/n"; outputs = { self, u, n }: { v = n.v; }; }'
F '{ inputs.u.url = "path:/tmp/terrarium-flakes/world/u"; inputs.n.follows = "u/x"; outputs = { self, u, n }: { v = n.v; }; }'
F '{ inputs.u.url = "path:/tmp/terrarium-flakes/world/u"; inputs.u.inputs.h.url = "path:/tmp/terrarium-flakes/world/n"; outputs = { self, u }: { v = u.v; }; }'
F '{ inputs.u.url = "path:/tmp/terrarium-flakes/world/u"; inputs.u.inputs.h.follows = ""; outputs = { self, u }: { v = "x"; }; }'
T cat flake.lock
F '{ inputs.u = { url = "path:/tmp/terrarium-flakes/world/u"; inputs.n = { url = "path:/tmp/terrarium-flakes/world/h"; }; }; outputs = { self, u }: { v = u.v; }; }'
F '{ inputs.a.url = "path:/tmp/terrarium-flakes/world/n"; inputs.b.url = "path:/tmp/terrarium-flakes/world/n"; inputs.c.url = "path:/tmp/terrarium-flakes/world/h"; inputs.d.url = "path:/tmp/terrarium-flakes/world/h"; outputs = { self, a, b, c, d }: { v = c.v + d.v; }; }'
T cat flake.lock
T nix flake metadata
echo '{ outputs = { self }: { v = "n2"; }; }' > ../n/flake.nix
T nix flake update c/n
T nix flake update a b
T nix flake update
T nix eval .#v
T nix flake lock --override-input c/n path:/tmp/terrarium-flakes/world/n
T nix flake archive --json

cd $W; rm -rf dep a p t.tgz; git init -q dep; cd dep; echo '{ outputs = { self }: { x = throw "a"; m = import ./no.nix; }; }' > flake.nix; commit one; cd ..; touch -d @1700000000 dep/flake.nix; (cd dep; tar czf ../t.tgz flake.nix)
mkdir a; cd a; echo '{ inputs.d.url = "git+file:///tmp/terrarium-flakes/world/dep"; inputs.t.url = "file:///tmp/terrarium-flakes/world/t.tgz"; outputs = { self, d, t }: { x = d.x; y = t.x; m = d.m; n = t.m; }; }' > flake.nix
T nix eval .#x
T nix eval .#x
T nix eval .#y
T nix eval .#m
T nix eval .#n
cd $W; rm -rf dep a p t.tgz; git init -q dep; cd dep; echo '{ outputs = { self }: { x = throw "a"; m = import ./no.nix; }; }' > flake.nix; echo 'throw "q"' > q.nix; commit one; R=$(git rev-parse HEAD); cd ..
T nix eval --impure git+file://$W/dep#x
T nix eval --impure --expr "import (builtins.fetchTree \"git+file://$W/dep\" + \"/q.nix\")"
T nix eval --expr "import (builtins.fetchTree \"git+file://$W/dep?rev=$R\" + \"/q.nix\")"
T nix eval --expr "import (builtins.fetchGit { url = \"file://$W/dep\"; rev=\"$R\"; } + \"/q.nix\")"
T nix eval --expr "import (builtins.fetchGit { url = \"file://$W/dep\"; rev=\"$R\"; } + \"/z.nix\")"
T nix eval --impure --expr "(builtins.getFlake \"git+file://$W/dep\").m"
cd $W; rm -rf a p; mkdir p a; echo '{ outputs = { self }: { x = throw "a"; }; }' > p/flake.nix; cd a; echo '{ inputs.d.url = "path:/tmp/terrarium-flakes/world/p"; outputs = { self, d }: { x = d.x; p = d + "/flake.nix"; q = ./flake.nix; }; }' > flake.nix
T nix eval .#x
T nix eval .#x
T nix eval .#q

X() { T nix eval --impure --expr "$1"; }
E_() { T nix eval --impure --expr "$1"; }
git init -q r; cd r; echo one > a; commit one;  echo 2 > a; commit two; cd ..
git init -q sup; cd sup; git -c protocol.file.allow=always submodule --quiet add file://$W/r sub; commit x; cd ..
X "builtins.readDir (builtins.fetchGit { url = $W/sup; })"
X "builtins.readDir (builtins.fetchGit { url = $W/sup; exportIgnore=false; })"
X "builtins.readDir (builtins.fetchTree { type=\"git\"; url = \"file://$W/sup\"; })"
X "builtins.readDir ((builtins.fetchTree { type=\"git\"; url = \"file://$W/sup\"; }) + \"/sub\")"
echo > sup/z; git -C sup add z
X "builtins.readDir (builtins.fetchGit { url = $W/sup; })"
X "builtins.readDir (builtins.fetchTree { type=\"git\"; url = \"file://$W/sup\"; })"
echo q > sup/sub/a
X "builtins.fetchGit { url = $W/sup; submodules=true; }"
git -C sup commit -qam q
X "builtins.fetchGit { url = $W/sup; submodules=true; }"
X "builtins.fetchGit { url = $W/sup; submodules=false; }"
# tarballs
mkdir t; cd t; mkdir -p pk/d; echo a > pk/a; echo b > pk/d/b; touch -d @1500000000 pk/a pk/d pk/d/b pk; tar czf $W/pk.tar.gz pk; tar cf $W/pk.tar pk; tar cJf $W/pk.tar.xz pk; (cd pk; tar czf $W/flat.tgz a d)
cd ..; 
X "builtins.fetchTree { type=\"tarball\"; url = \"file://$W/pk.tar.gz\"; }"
X "builtins.fetchTree \"file://$W/pk.tar.gz\""
X "builtins.fetchTree \"tarball+file://$W/pk.tar\""
X "builtins.fetchTree \"file+file://$W/pk.tar\""
X "builtins.fetchTree { type=\"file\"; url = \"file://$W/pk.tar.gz\"; }"
X "builtins.fetchTree { type=\"file\"; url = \"file://$W/nope.gz\"; }"
X "builtins.fetchTree { type=\"tarball\"; url = \"file://$W/nope.gz\"; }"
X "builtins.fetchTarball \"file://$W/pk.tar.xz\""
X "builtins.fetchTarball { url = \"file://$W/flat.tgz\"; name=\"x\"; }"
X "builtins.fetchTarball { url = \"file://$W/pk.tar.xz\"; sha256 = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"; }"
X "builtins.fetchTarball \"file://$W/nope.tar\""
X "builtins.fetchurl \"file://$W/pk.tar\""
X "builtins.fetchurl \"file://$W/nope.tar\""
X "builtins.fetchurl { url = \"file://$W/pk.tar\"; sha256 = \"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\"; }"
X "builtins.fetchTree { type=\"path\"; path = \"$W/t\"; }"
X "builtins.fetchTree { type=\"path\"; path = \"$W/nope\"; }"
X "builtins.fetchTree { type=\"path\"; path = \"./t\"; }"
X "builtins.fetchTree { type=\"indirect\"; id = \"nixpkgs\"; }"
X "builtins.fetchTree \"nixpkgs\""
X "builtins.fetchTree \"flake:nixpkgs\""
X "builtins.fetchTree { type=\"foo\"; }"
X "builtins.fetchTree { type=\"git\"; url = \"file://$W/r\"; foo = 1; }"
T nix eval --expr "builtins.fetchTree { type=\"path\"; path = \"$W/t\"; }"
T nix eval --expr "builtins.fetchTarball \"file://$W/pk.tar\""
X
cp pk.tar.gz pk2.tar.gz; mkdir fl; cd fl; cat > flake.nix <<X
{ inputs.t = { url = "file://$W/pk2.tar.gz"; flake = false; }; inputs.f = { url = "file+file://$W/pk.tar"; flake = false; }; inputs.g = { url = "git+file://$W/r?rev=$(git -C $W/r rev-parse HEAD)"; flake = false; };
inputs.h = { type = "git"; url = "file://$W/r"; ref = "master"; shallow = true; flake = false; };
 outputs = i: { t = i.t; f = i.f; g = i.g; h = i.h; n = builtins.attrNames i.self.inputs; }; }
X
T nix flake lock
T cat flake.lock
T nix flake metadata
T nix eval .#t.outPath
T nix eval .#f.outPath
T nix eval .#g
T nix eval .#h
T nix eval .#n

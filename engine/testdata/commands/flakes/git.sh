X() { T nix eval --impure --expr "$1"; }
E_() { T nix eval --impure --expr "$1"; }
git init -q r; cd r
echo one > a; mkdir d; echo x > d/b; ln -s a l; echo '#!/bin/sh' > ex; chmod +x ex; echo 'ignored export-ignore' > .gitattributes; echo i > ignored
commit one; git tag v1; R1=$(git rev-parse HEAD)
echo two > a; commit two; git checkout -q -b br; echo br > br; commit br; BR=$(git rev-parse HEAD); git checkout -q master
git tag -a -m t ann
H=$(git rev-parse HEAD); cd ..
X "builtins.fetchGit $W/r"
X "builtins.fetchGit { url = $W/r; }"
X "builtins.fetchGit \"file://$W/r\""
X "builtins.fetchGit { url = \"file://$W/r\"; ref = \"br\"; }"
X "builtins.fetchGit { url = \"file://$W/r\"; ref = \"refs/heads/br\"; }"
X "builtins.fetchGit { url = \"file://$W/r\"; ref = \"refs/tags/v1\"; }"
X "builtins.fetchGit { url = \"file://$W/r\"; ref = \"v1\"; }"
X "builtins.fetchGit { url = \"file://$W/r\"; ref = \"refs/tags/ann\"; }"
X "builtins.fetchGit { url = \"file://$W/r\"; rev = \"$R1\"; }"
X "builtins.fetchGit { url = \"file://$W/r\"; rev = \"$BR\"; }"
X "builtins.fetchGit { url = \"file://$W/r\"; rev = \"$BR\"; allRefs = true; }"
X "builtins.fetchGit { url = \"file://$W/r\"; rev = \"$BR\"; ref = \"br\"; shallow = true; }"
X "builtins.fetchGit { url = \"file://$W/r\"; rev = \"$R1\"; name = \"foo\"; }"
X "builtins.fetchGit { url = \"file://$W/r\"; rev = \"$R1\"; exportIgnore = false; }"
X "builtins.fetchGit { url = \"file://$W/r\"; submodules = true; }"
X "builtins.fetchGit { url = \"file://$W/r\"; ref = \"nope\"; }"
X "builtins.fetchGit { url = \"file://$W/r\"; rev = \"0000000000000000000000000000000000000001\"; }"
X "builtins.fetchGit { url = \"file://$W/none\"; }"
X "builtins.fetchGit $W/none"
X "builtins.fetchGit { url = $W/r; rev = \"abc\"; }"
X "builtins.fetchTree { type = \"git\"; url = \"file://$W/r\"; }"
X "builtins.fetchTree { type = \"git\"; url = \"file://$W/r\"; rev=\"$R1\"; }"
X "builtins.fetchTree { type = \"git\"; url = \"file://$W/r\"; ref=\"br\"; }"
X "builtins.fetchTree { type = \"git\"; url = \"file://$W/r\"; shallow=false; }"
X "builtins.fetchTree \"git+file://$W/r\""
X "builtins.fetchTree \"git+file://$W/r?ref=br\""
X "builtins.fetchTree \"git+file://$W/r?rev=$R1\""
T nix eval --json --expr "builtins.fetchGit { url = \"file://$W/r\"; rev = \"$R1\"; }"
T nix eval --json --expr "builtins.fetchGit { url = \"file://$W/r\"; }"
T nix eval --json --expr "builtins.fetchTree { type=\"git\"; url = \"file://$W/r\"; }"
E_ "builtins.readDir (builtins.fetchGit { url = \"file://$W/r\"; rev = \"$R1\"; })"
E_ "builtins.readDir (builtins.fetchGit $W/r)"
E_ "builtins.readFile ((builtins.fetchGit $W/r) + \"/a\")"
cd r; echo dirty > a; echo untracked > u
X "builtins.fetchGit $W/r"
X "builtins.fetchGit ./."
E_ "builtins.readDir (builtins.fetchGit $W/r)"
E_ "builtins.readFile ((builtins.fetchGit $W/r) + \"/a\")"
X "builtins.fetchTree { type = \"git\"; url = \"file://$W/r\"; }"
git add u
X "builtins.fetchGit $W/r"
E_ "builtins.readDir (builtins.fetchGit $W/r)"
git rm -q --cached d/b; X "builtins.fetchGit $W/r"
rm u;  X "builtins.fetchGit $W/r"
git reset -q --hard; rm -f d/b
X "builtins.fetchGit $W/r"
E_ "builtins.readDir (builtins.fetchGit $W/r)"
T nix eval --option allow-dirty false --impure --expr "builtins.fetchGit $W/r"
T nix eval --option warn-dirty false --impure --expr "builtins.fetchGit $W/r"
git reset -q --hard
cd ..; git init -q empty; 
X "builtins.fetchGit $W/empty"
cd empty; echo a > a; git add a
X "builtins.fetchGit $W/empty"
cd ..; git init -q sup; cd sup; git -c protocol.file.allow=always submodule --quiet add file://$W/r sub; commit x
X "builtins.fetchGit { url = $W/sup; }"
X "builtins.fetchGit { url = $W/sup; submodules = true; }"
E_ "builtins.readDir ((builtins.fetchGit { url = $W/sup; submodules = true; }) + \"/sub\")"
X "builtins.fetchGit { url = \"file://$W/sup\"; submodules = true; rev = \"$(git rev-parse HEAD)\"; }"

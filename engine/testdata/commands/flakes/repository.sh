git init -q g; cd g; mkdir sub
cat > flake.nix <<'X'
{ inputs.dep.url = "git+file:///tmp/terrarium-flakes/world/dep"; outputs = { self, dep }: { x = dep.y; s = self.sourceInfo; rev = self.rev or self.dirtyRev or "none"; o = self.outPath; u = builtins.readDir ./.; me = self; }; }
X
echo '{ outputs = { self }: { z = self.outPath; s = self.sourceInfo.outPath; }; }' > sub/flake.nix
git init -q ../dep; cd ../dep; echo '{ outputs = { self }: { y = 5; }; }' > flake.nix; commit; cd ../g
T nix eval .#x
git add flake.nix
T nix eval .#x
T cat flake.lock
T git status --porcelain
T nix eval .#s
T nix eval .#rev
T nix eval .#o
commit
T nix eval .#s
T nix eval .#rev
T nix flake metadata
T nix flake metadata --json
T nix eval ./sub#z
T nix eval .?dir=sub#s
T nix eval "git+file://$W/g?dir=sub#z"
T nix eval "git+file://$W/g?ref=master#x"
T nix eval "git+file://$W/g?ref=nope#x"
echo u > untracked; T nix eval .#u
echo 1 >> flake.nix; T nix eval .#x
git checkout -q flake.nix; echo >> flake.nix; T nix eval .#rev
git checkout -q flake.nix; rm flake.lock
T nix flake lock
git rm -q --cached flake.lock; rm -f flake.lock
cd ../dep; echo '{ outputs = { self }: { y = 6; }; }' > flake.nix; commit; cd ../g
T nix eval .#x
T nix eval --no-write-lock-file --update-input dep .#x
T nix flake update
T nix flake update
T nix eval .#x
cp -r ../dep ../plain; rm -rf ../plain/.git; T nix flake lock --override-input dep path:$W/plain
T cat flake.lock
T nix flake update --no-update-lock-file
T nix flake lock --recreate-lock-file
T nix flake lock --output-lock-file $W/o.lock --recreate-lock-file
T nix eval --reference-lock-file $W/o.lock .#x
T nix eval --expr '(builtins.getFlake "git+file:///tmp/terrarium-flakes/world/g").x' 
T nix eval --impure --expr '(builtins.getFlake "git+file:///tmp/terrarium-flakes/world/g").x' 
T nix eval --impure --expr '(builtins.getFlake (toString ./.)).x' 
T nix eval --expr "(builtins.getFlake \"git+file:///tmp/terrarium-flakes/world/g?rev=$(git rev-parse HEAD)\").x"
T nix eval --expr "builtins.attrNames (builtins.getFlake \"git+file:///tmp/terrarium-flakes/world/g?rev=$(git rev-parse HEAD)\")"
cd sub; T nix eval .#z; mkdir q; cd q;  T nix eval .#z;  T nix eval ..#z
cd $W; mkdir e; cd e; T nix eval .#x
T nix eval $W/nope#x
T nix eval gitlab:foo
T nix eval 'foo bar#x'
T nix eval ''
T nix eval '#x'

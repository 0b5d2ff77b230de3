# A cow that says what it is told: in a balloon as wide as the text.
{ writeShellScriptBin }:
writeShellScriptBin "cowsay" ''
  text="''${*:-$(cat)}"
  rule=$(echo "$text" | sed 's/./-/g')
  cat <<COW
   _''${rule}_
  < $text >
   -''${rule}-
          \   ^__^
           \  (oo)\_______
              (__)\       )\/\\
                  ||----w |
                  ||     ||
  COW
''

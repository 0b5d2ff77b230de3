{ pkgs, ... }:

{
  networking.hostName = "thistle";

  services.static-web-server = {
    enable = true;
    listen = "[::]:80";
    root = pkgs.runCommand "site" { } ''
      echo "checking the links of the site"
      mkdir $out
      echo '<h1>Hello</h1> <a href="about.html">about</a>' > $out/index.html
      for page in $(sed -n 's/.*href="\([^"]*\)".*/\1/p' $out/index.html); do
        if [ ! -e "$out/$page" ]; then
          echo "index.html links to $page, which does not exist"
          exit 1
        fi
      done
    '';
  };
}

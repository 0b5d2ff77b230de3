{ pkgs, ... }:

let
  version = "1";

  # A page that is a program: it counts its visitors in /var/lib/counter.
  counter = pkgs.writeTextFile {
    name = "counter";
    executable = true;
    destination = "/cgi-bin/index.cgi";
    text = ''
      #!${pkgs.runtimeShell}
      PATH=${pkgs.busybox}/bin
      file=/var/lib/counter/visits
      visits=$(( $(cat "$file" 2>/dev/null || echo 0) + 1 ))
      echo "$visits" > "$file"
      cat <<PAGE
      Content-Type: text/html

      <!doctype html>
      <title>counter</title>
      <body style="background: #2b2d42; color: #edf2f4; font: 1.3rem/1.6 system-ui; text-align: center; padding: 15vh 1rem">
      <h1 style="font-size: 5rem; margin: 0">$visits</h1>
      <p>visits, counted by version ${version} of the program</p>
      PAGE
    '';
  };
in
{
  networking.hostName = "sundew";

  users.users.counter = {
    isSystemUser = true;
    group = "counter";
  };
  users.groups.counter = { };

  systemd.services.counter = {
    description = "Visit counter";
    wantedBy = [ "multi-user.target" ];
    serviceConfig = {
      ExecStart = "${pkgs.busybox}/bin/httpd -f -p 8080 -h ${counter}";
      User = "counter";
      Group = "counter";
      StateDirectory = "counter";
      Restart = "on-failure";
    };
  };
  terrarium.preview = {
    unit = "counter.service";
    port = 8080;
  };
}

{ pkgs, ... }:

let
  # The program's version. Change it and switch, then go back: the program rolls back, the rows stay.
  version = "1";

  # Every visit is a row of a database in /var/lib/visits, which belongs to no generation.
  counter = pkgs.writeTextFile {
    name = "visits";
    executable = true;
    destination = "/cgi-bin/index.cgi";
    text = ''
      #!${pkgs.runtimeShell}
      database() {
        ${pkgs.sqlite}/bin/sqlite3 -cmd '.timeout 5000' /var/lib/visits/visits.db "$@"
      }
      database "insert into visits (at, program) values (datetime('now'), '${version}')"
      cat <<PAGE
      Content-Type: text/html

      <!doctype html>
      <title>visits</title>
      <body style="background: #f4efe3; color: #3a2f1b; font: 1.2rem/1.6 system-ui; text-align: center; padding: 12vh 1rem">
      <h1 style="font-size: 4rem; margin: 0">$(database 'select count(*) from visits')</h1>
      <p>visits, this one counted by version ${version}</p>
      <p>$(database "select group_concat('version ' || program || ': ' || n, ', ') from (select program, count(*) as n from visits group by program)")</p>
      PAGE
    '';
  };
in
{
  networking.hostName = "sundew";

  users.users.visits = {
    isSystemUser = true;
    group = "visits";
  };
  users.groups.visits = { };

  systemd.services.visits = {
    description = "Visit counter with a database";
    wantedBy = [ "multi-user.target" ];
    # A new version may find an old database: it makes what is missing and deletes nothing.
    preStart = ''
      ${pkgs.sqlite}/bin/sqlite3 /var/lib/visits/visits.db 'create table if not exists visits (at text, program text)'
    '';
    serviceConfig = {
      ExecStart = "${pkgs.busybox}/bin/httpd -f -p 8080 -h ${counter}";
      User = "visits";
      Group = "visits";
      StateDirectory = "visits";
      Restart = "on-failure";
    };
  };
  terrarium.preview = {
    unit = "visits.service";
    port = 8080;
  };

  # `sqlite3 /var/lib/visits/visits.db` in the terminal reads the same rows.
  environment.systemPackages = [ pkgs.sqlite ];
}

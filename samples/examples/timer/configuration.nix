{ pkgs, ... }:

{
  networking.hostName = "clover";

  # A directory that is not in the store: what is written there stays when the system changes.
  systemd.tmpfiles.rules = [ "d /var/lib/site 0755 root root -" ];

  systemd.services.tick = {
    description = "Write down the time";
    wantedBy = [ "multi-user.target" ];
    serviceConfig.Type = "oneshot";
    script = ''
      date >> /var/lib/site/ticks
      tail -n 8 /var/lib/site/ticks > /var/lib/site/last
      {
        echo '<!doctype html><title>clover</title>'
        echo '<body style="background: #eef6ee; color: #1b4332; font: 1.2rem/1.7 ui-monospace, monospace; text-align: center; padding: 12vh 1rem">'
        echo "<h1>$(wc -l < /var/lib/site/ticks) ticks</h1>"
        sed 's/$/<br>/' /var/lib/site/last
      } > /var/lib/site/next
      mv /var/lib/site/next /var/lib/site/index.html
    '';
  };

  systemd.timers.tick = {
    description = "Every ten seconds";
    wantedBy = [ "timers.target" ];
    timerConfig = {
      OnBootSec = "10s";
      OnUnitActiveSec = "10s";
    };
  };

  services.static-web-server = {
    enable = true;
    listen = "[::]:80";
    root = "/var/lib/site";
  };
}

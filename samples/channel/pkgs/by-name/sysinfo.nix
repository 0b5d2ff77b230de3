# A few lines about the machine it runs on.
{ writeShellApplication, busybox }:
writeShellApplication {
  name = "sysinfo";
  runtimeInputs = [ busybox ];
  text = ''
    echo "host        $(hostname)"
    echo "system      $(readlink -f /run/current-system)"
    echo "kernel      $(uname -sr)"
    echo "up          $(cut -d . -f 1 /proc/uptime) s"
    echo "memory      $(awk '/MemTotal/ { print int($2 / 1024) " MB" }' /proc/meminfo)"
  '';
}

/* One program, many names; see APPLETS.md. Which one it is, argv[0] says, or argv[1] when it is called as terrarium-init. */
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "applets.h"
#include "manager.h"
#include "util.h"

typedef int Applet(int argc, char **argv);

static const struct {
  const char *name;
  Applet *run;
} applets[] = {
    {"systemd", manager_main},
    {"systemctl", systemctl_main},
    {"journalctl", journalctl_main},
    {"systemd-switch", switch_main},
    {"setup-etc", setup_etc_main},
    {"update-users", update_users_main},
    {"set-link", set_link_main},
    {"poweroff", power_main},
    {"reboot", power_main},
    {"halt", power_main},
    {"shutdown", power_main},
    {"terrarium-step", step_main},
    {"terrarium-shim", shim_main},
    {"zero-memory", zero_memory_main},
};

/* The Nix commands that the host answers. */
static const char *const shims[] = {
    "nix",         "nix-build",         "nix-channel", "nix-collect-garbage", "nix-copy-closure", "nix-env",        "nix-hash",           "nix-instantiate", "nix-prefetch-url",
    "nix-shell",   "nix-store",         "nixos-rebuild", "nixos-option",       "nixos-version",    "nixos-generate-config",
};

static int run(int argc, char **argv) {
  const char *name = base_name(argv[0]);
  for (size_t i = 0; i < COUNT_OF(applets); i++)
    if (!strcmp(name, applets[i].name)) {
      program_name = applets[i].name;
      return applets[i].run(argc, argv);
    }
  for (size_t i = 0; i < COUNT_OF(shims); i++)
    if (!strcmp(name, shims[i])) return shim_call(argc, argv);
  return -1;
}

int main(int argc, char **argv) {
  int status = argc ? run(argc, argv) : -1;
  /* The kernel starts the initramfs's program as `/init`; nobody else may be the agent. */
  if (status < 0 && getpid() == 1) status = agent_main();
  if (status < 0 && argc > 1) status = run(argc - 1, argv + 1);
  if (status < 0) die("called by a name it does not know: %s", argc ? argv[0] : "");
  return status;
}

/**
 * The options every v86 instance of the project shares: the page's machine, the builder, Node's, and the script that saves the
 * state image. A saved state restores only into an instance made with the same devices and the same memory, so nothing of this
 * may be set anywhere else.
 */

/** Bytes of the guest's memory. */
export const memorySize = 128 * 1024 * 1024;

/** Bytes of video memory: the least v86 takes; the guest speaks over its serial line and the virtio console only. */
const vgaMemorySize = 2 * 1024 * 1024;

/** The kernel's command line: messages go to the serial line, which the page shows as the console. */
const commandLine = "console=ttyS0 quiet";

/**
 * The part of v86's options that a saved state depends on. `net_device.type` is "none" because v86 adds an ne2k card when nothing is
 * said; the guest has no network card at all (the preview goes through the agent's CONNECT).
 */
export const fixedOptions = {
  memory_size: memorySize,
  vga_memory_size: vgaMemorySize,
  cmdline: commandLine,
  fastboot: true,
  autostart: false,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
  virtio_console: true,
  net_device: { type: "none" },
} as const;

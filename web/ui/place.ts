/** Puts something in the top layer beside what it belongs to, inside the window. */

const gap = 6;

/** Below `anchor` where there is room, else above; its left (or right) edges in line. Measured after the browser has laid it out. */
export function placeBeside(layer: HTMLElement, anchor: HTMLElement, align: "start" | "end"): void {
  layer.style.visibility = "hidden";
  requestAnimationFrame(() => {
    const from = anchor.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = layer;
    const below = from.bottom + gap + height <= innerHeight || from.top < height + gap;
    const left = align === "start" ? from.left : from.right - width;
    layer.style.top = `${Math.max(gap, below ? Math.min(from.bottom + gap, innerHeight - height - gap) : from.top - gap - height)}px`;
    layer.style.left = `${Math.min(Math.max(gap, left), innerWidth - width - gap)}px`;
    layer.style.visibility = "";
  });
}

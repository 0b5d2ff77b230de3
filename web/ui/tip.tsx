/** One tip for the whole page: whatever has `data-tip` shows it on hover and on keyboard focus. Commands are set in the code face. */
import { useEffect, useRef } from "react";
import "./tip.css";

const delay = 350;

export function TipLayer() {
  const layer = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const tip = layer.current;
    if (!tip) return undefined;
    let timer = 0;
    const hide = (): void => {
      clearTimeout(timer);
      if (tip.matches(":popover-open")) tip.hidePopover();
    };
    const schedule = (event: Event): void => {
      const target = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-tip]") : null;
      hide();
      if (!target || (event.type === "focusin" && !target.matches(":focus-visible"))) return;
      timer = window.setTimeout(() => showTip(tip, target), delay);
    };
    const stop = new AbortController();
    const { signal } = stop;
    document.addEventListener("pointerover", schedule, { signal });
    document.addEventListener("focusin", schedule, { signal });
    for (const kind of ["pointerdown", "keydown", "scroll"])
      document.addEventListener(kind, hide, { signal, capture: true });
    return () => {
      hide();
      stop.abort();
    };
  }, []);
  return <div ref={layer} popover="manual" className="tip" aria-hidden="true" />;
}

function showTip(tip: HTMLElement, target: HTMLElement): void {
  const text = target.dataset["tip"];
  if (!text || !target.isConnected) return;
  tip.textContent = text;
  tip.classList.toggle("tip-code", target.dataset["tipCode"] !== undefined);
  tip.showPopover();
  const at = target.getBoundingClientRect();
  const above = at.bottom + tip.offsetHeight + 8 > innerHeight;
  const left = at.left + at.width / 2 - tip.offsetWidth / 2;
  tip.style.top = `${above ? at.top - tip.offsetHeight - 7 : at.bottom + 7}px`;
  tip.style.left = `${Math.min(Math.max(6, left), innerWidth - tip.offsetWidth - 6)}px`;
}

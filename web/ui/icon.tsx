/** The page's own line icons, drawn on a 20 × 20 grid with one stroke width. Decorative: the words beside them name things. */

const shapes = {
  leaf: "M4 16c0-7 4-11 12-12 0 8-4 12-10 12H4zm0 0c2-4 4-6 7-8",
  changes: "M6 3v10m0 0-3-3m3 3 3-3m5 7V7m0 0-3 3m3-3 3 3",
  closure: "M10 2.5 17 6v8l-7 3.500L3 14V6zm0 7.500v7.500M10 10 3 6m7 4 7-4",
  generations: "M3 6l7-3 7 3-7 3zm0 4 7 3 7-3M3 14l7 3 7-3",
  services:
    "M10 13a3 3 0 1 1 0-6 3 3 0 0 1 0 6zM10 2.5v2m0 11v2M2.5 10h2m11 0h2M4.7 4.7l1.4 1.4m7.8 7.8 1.4 1.4m0-10.6-1.4 1.4m-7.8 7.8-1.4 1.4",
  terminal: "M3.5 4h13a1 1 0 0 1 1 1v10a1 1 0 0 1-1 1h-13a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1zM6 8l2.5 2L6 12m5 .5h3",
  console: "M4 6l4 4-4 4m6 0h6",
  repl: "M4 5l4 5-4 5m7-6h5m-5 4h3",
  lessons: "M3 5c3-1 5-1 7 .5C12 4 14 4 17 5v10c-3-1-5-1-7 .5C8 14 6 14 3 15zm7 .5v10",
  store:
    "M4 6c0-1.7 2.7-3 6-3s6 1.3 6 3-2.7 3-6 3-6-1.3-6-3zm0 0v8c0 1.7 2.7 3 6 3s6-1.3 6-3V6M4 10c0 1.7 2.7 3 6 3s6-1.3 6-3",
  derivation: "M6 3h6l3 3v11H5V4a1 1 0 0 1 1-1zm6 0v3h3M8 10h4m-4 3h4",
  settings: "M3 6h8m4 0h2M3 14h2m4 0h8M13 4v4M7 12v4",
  about: "M10 17.500a7.5 7.5 0 1 1 0-15 7.5 7.5 0 0 1 0 15zM10 9v5m0-7.500v.3",
  share: "M10 12V3m0 0L7 6m3-3 3 3M5 10H4v7h12v-7h-1",
  search: "M9 14.500A5.5 5.5 0 1 1 9 3.500a5.5 5.5 0 0 1 0 11zm4-1.5 4 4",
  plug: "M7 2.500v4m6-4v4M5.5 6.500h9V9a4.5 4.5 0 0 1-9 0zM10 13.500v4",
  unplugged: "M7 5V2.500M13 5V2.500M5.5 6.500h9V8a4.5 4.5 0 0 1-9 0zM10 15v2.500M3 17 17 3",
  power: "M10 3v6m4-4a6 6 0 1 1-8 0",
  back: "M7 5 3.5 8.5 7 12m-3-3.500h8a4.5 4.5 0 0 1 0 9H9",
  play: "M6 4l10 6-10 6z",
  stop: "M5.5 5.500h9v9h-9z",
  reload: "M16 10a6 6 0 1 1-1.8-4.300L16 7.500M16 3.500v4h-4",
  check: "M4 10.5 8 14.5 16 5.5",
  cross: "M5 5l10 10M15 5 5 15",
  down: "M5 8l5 5 5-5",
  right: "M8 5l5 5-5 5",
  left: "M12 5 7 10l5 5",
  more: "M4.5 10h.01M10 10h.01M15.5 10h.01",
  plus: "M10 4v12M4 10h12",
  file: "M6 3h6l3 3v11H5V4a1 1 0 0 1 1-1zm6 0v3h3",
  folder: "M3 5.500h5l1.5 2H17v8H3z",
  copy: "M7 7h9v9H7zM4 13V4h9",
  warning: "M10 3 18 16.500H2zM10 8v4m0 2.300v.2",
  globe: "M10 17.500a7.5 7.5 0 1 1 0-15 7.5 7.5 0 0 1 0 15zM2.5 10h15M10 2.500c5 5 5 10 0 15-5-5-5-10 0-15z",
  pin: "M12 3l5 5-3 .5-3 3-.5 3.5-5-5L9 9.500l2.5-3zM6.5 13.5 3 17",
  arrow: "M3 10h13m-4-4 4 4-4 4",
  sun: "M10 13.500a3.5 3.5 0 1 1 0-7 3.5 3.5 0 0 1 0 7zM10 2v1.500M10 16.500V18M2 10h1.500M16.5 10H18M4.3 4.300l1.1 1.100m9.2 9.2 1.1 1.100m0-11.4-1.1 1.100m-9.2 9.2-1.1 1.1",
  moon: "M16.5 12A7 7 0 0 1 8 3.500a7 7 0 1 0 8.5 8.500z",
  machine: "M3 4h14v9H3zm4 13h6m-3-4v4",
  keyboard: "M2.5 5.500h15v9h-15zM5.5 8.500h.01M8.5 8.500h.01M11.5 8.500h.01M14.5 8.500h.01M6.5 11.500h7",
  trash: "M4 6h12M8 6V4h4v2m-6.5 0 .7 11h7.6l.7-11",
  home: "M3 9.5 10 4l7 5.500M5 8v8h10V8M8.5 16v-4.500h3V16",
  download: "M10 3v9m0 0-3-3m3 3 3-3M4 16h12",
  bulb: "M7.5 14.500h5M8 17h4M10 3a5 5 0 0 0-2.7 9.200c.5.4.7 1.2.7 2.300h4c0-1.1.2-1.9.7-2.300A5 5 0 0 0 10 3z",
} as const;

export type IconName = keyof typeof shapes;

export function Icon({ name, size = 18 }: { name: IconName; size?: number }) {
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth={name === "more" ? 2.4 : 1.5}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
    >
      <path d={shapes[name]} />
    </svg>
  );
}

/** Terrarium's mark: a jar, soil, and something that grows. */
export function Mark({ size = 26 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
      <path d="M6 14a10 10 0 0 1 20 0v11a4 4 0 0 1-4 4H10a4 4 0 0 1-4-4z" fill="var(--accent-wash)" />
      <path d="M6 21.500c4-1.6 7 1 10 0s6-1.2 10 0V25a4 4 0 0 1-4 4H10a4 4 0 0 1-4-4z" fill="var(--soil-3)" />
      <path d="M16 21c0-4-.1-6.5-.3-8.5" stroke="var(--accent)" strokeWidth="1.8" fill="none" strokeLinecap="round" />
      <path d="M15.7 15c-4.2.2-5.6-2-5.7-4.6 3.4-.2 5.5 1.3 5.7 4.6z" fill="var(--accent)" opacity=".75" />
      <path d="M15.9 13c.1-3.5 2.1-5.4 5.8-5.3.1 3.6-1.9 5.5-5.8 5.300z" fill="var(--accent)" />
      <path
        d="M6 14a10 10 0 0 1 20 0v11a4 4 0 0 1-4 4H10a4 4 0 0 1-4-4z"
        fill="none"
        stroke="var(--line-strong)"
        strokeWidth="1.2"
      />
    </svg>
  );
}

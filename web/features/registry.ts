/**
 * The panels, one record each, in the order of the rail. Adding a panel is adding a folder with a component and a line
 * here. Components load when they are first opened.
 */
import { lazy, type ComponentType, type LazyExoticComponent } from "react";
import type { IconName } from "#web/ui/icon.tsx";

export interface PanelRecord {
  id: string;
  title: string;
  icon: IconName;
  /** What the command palette says of it. */
  command: string;
  /** Rail: with the panels, or at its foot. */
  place: "top" | "foot";
  component: LazyExoticComponent<ComponentType>;
}

export const panels: PanelRecord[] = [
  {
    id: "result",
    title: "Result",
    icon: "leaf",
    command: "Result: what the file evaluates to",
    place: "top",
    component: lazy(() => import("./result/result.tsx")),
  },
  {
    id: "changes",
    title: "Changes",
    icon: "changes",
    command: "What would change",
    place: "top",
    component: lazy(() => import("./changes/changes.tsx")),
  },
  {
    id: "generations",
    title: "Generations",
    icon: "generations",
    command: "Generations: timeline, differences, boot menu",
    place: "top",
    component: lazy(() => import("./generations/generations.tsx")),
  },
  {
    id: "closure",
    title: "Closure",
    icon: "closure",
    command: "Closure: everything the system is made of",
    place: "top",
    component: lazy(() => import("./closure/closure.tsx")),
  },
  {
    id: "services",
    title: "Services",
    icon: "services",
    command: "Services of the machine, and their logs",
    place: "top",
    component: lazy(() => import("./services/services.tsx")),
  },
  {
    id: "terminal",
    title: "Terminal",
    icon: "terminal",
    command: "Terminal in the machine",
    place: "top",
    component: lazy(() => import("./terminal/terminal.tsx")),
  },
  {
    id: "console",
    title: "Commands",
    icon: "console",
    command: "Nix commands in the page",
    place: "top",
    component: lazy(() => import("./console/console.tsx")),
  },
  {
    id: "repl",
    title: "Repl",
    icon: "repl",
    command: "Repl: try expressions over the workspace's files",
    place: "top",
    component: lazy(() => import("./repl/repl.tsx")),
  },
  {
    id: "lessons",
    title: "Lessons",
    icon: "lessons",
    command: "Lessons",
    place: "top",
    component: lazy(() => import("./lessons/lessons.tsx")),
  },
  {
    id: "derivation",
    title: "Derivation",
    icon: "derivation",
    command: "Derivation: the build, before it is built",
    place: "top",
    component: lazy(() => import("./derivation/derivation.tsx")),
  },
  {
    id: "store",
    title: "Store",
    icon: "store",
    command: "Store: space, roots, garbage collection",
    place: "top",
    component: lazy(() => import("./store/store.tsx")),
  },
  {
    id: "sources",
    title: "Sources",
    icon: "download",
    command: "Sources: package sets and binary caches",
    place: "top",
    component: lazy(() => import("./sources/sources.tsx")),
  },
  {
    id: "take-home",
    title: "Take home",
    icon: "home",
    command: "Take home: one file for another browser, a folder for real Nix, an image; space",
    place: "top",
    component: lazy(() => import("./take-home/take-home.tsx")),
  },
  {
    id: "settings",
    title: "Settings",
    icon: "settings",
    command: "Settings",
    place: "foot",
    component: lazy(() => import("./settings/settings.tsx")),
  },
  {
    id: "about",
    title: "About",
    icon: "about",
    command: "About Terrarium",
    place: "foot",
    component: lazy(() => import("./about/about.tsx")),
  },
];

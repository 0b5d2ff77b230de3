/** What this is, and whose work is in it. */
import { Mark } from "#web/ui/icon.tsx";
import "./about.css";

/** What runs here and was made by others: name, what for, licence, where its source is. */
const parts: [name: string, role: string, licence: string, source: string][] = [
  ["Linux", "the machine’s kernel", "GPL-2.0", "kernel.org, Debian’s linux-source"],
  ["BusyBox", "its shell and tools", "GPL-2.0", "busybox.net, Debian’s busybox"],
  ["SeaBIOS", "its firmware", "LGPL-3.0", "seabios.org, Debian’s seabios"],
  ["v86", "the emulated PC", "BSD-2-Clause", "github.com/copy/v86"],
  ["Monaco Editor", "the editor", "MIT", "github.com/microsoft/monaco-editor"],
  ["Shiki", "its colours", "MIT", "github.com/shikijs/shiki"],
  ["xterm.js", "the terminal", "MIT", "github.com/xtermjs/xterm.js"],
  ["React, Zustand", "the page", "MIT", "react.dev, github.com/pmndrs/zustand"],
  [
    "React Flow, dagre, d3-hierarchy",
    "graph and areas",
    "MIT, MIT, ISC",
    "reactflow.dev, github.com/dagrejs, d3js.org",
  ],
  [
    "noble-hashes, fflate, fzstd, idb-keyval, Comlink",
    "hashes, archives, storage, workers",
    "MIT, MIT, MIT, Apache-2.0, Apache-2.0",
    "github.com/paulmillr, github.com/101arrowz, github.com/jakearchibald, github.com/GoogleChromeLabs",
  ],
  ["marked, DOMPurify", "lessons", "MIT, Apache-2.0", "github.com/markedjs/marked, github.com/cure53/DOMPurify"],
];

export default function About() {
  return (
    <div className="panel about">
      <div className="about-head">
        <Mark size={54} />
        <div>
          <h3>NixOS under glass</h3>
          <p>
            The whole of Nix, its language, its store and its builds, and a real Linux machine, in this one tab. What it
            computes, C++ Nix computes too, to the byte.
          </p>
        </div>
      </div>
      <ul className="about-facts">
        <li>Everything stays in this browser: no account, no server, no network.</li>
        <li>It is no part of the NixOS project, and its system is a small one in the style of NixOS.</li>
        <li>Terrarium itself is free software under the MIT licence.</li>
      </ul>
      <table className="table">
        <thead>
          <tr>
            <th>With thanks to</th>
            <th>for</th>
            <th>licence</th>
            <th>source</th>
          </tr>
        </thead>
        <tbody>
          {parts.map(([name, role, licence, source]) => (
            <tr key={name}>
              <td>{name}</td>
              <td>{role}</td>
              <td>{licence}</td>
              <td>{source}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A terminal's visible screen as a picture, drawn from its cells: what stands there, in its colours, without the cursor. */
import type { IBufferCell, ITheme, Terminal } from "@xterm/xterm";

const ansiNames = [
  "black",
  "red",
  "green",
  "yellow",
  "blue",
  "magenta",
  "cyan",
  "white",
  "brightBlack",
  "brightRed",
  "brightGreen",
  "brightYellow",
  "brightBlue",
  "brightMagenta",
  "brightCyan",
  "brightWhite",
] as const satisfies readonly (keyof ITheme)[];

const margin = 12;

/** @returns a PNG at the screen's own resolution */
export async function pictureOf(terminal: Terminal): Promise<Blob> {
  const { fontSize = 13, fontFamily = "monospace", theme = {} } = terminal.options;
  const scale = globalThis.devicePixelRatio || 1;
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("This browser cannot draw a picture.");
  const font = (bold: boolean): string => `${bold ? "bold " : ""}${fontSize}px ${fontFamily}`;
  context.font = font(false);
  const width = context.measureText("M").width;
  const height = Math.ceil(fontSize * 1.2);
  canvas.width = (terminal.cols * width + 2 * margin) * scale;
  canvas.height = (terminal.rows * height + 2 * margin) * scale;
  context.scale(scale, scale);
  context.textBaseline = "top";
  const background = theme.background ?? "#000";
  context.fillStyle = background;
  context.fillRect(0, 0, canvas.width, canvas.height);
  const { active } = terminal.buffer;
  for (let row = 0; row < terminal.rows; row++) {
    const line = active.getLine(active.viewportY + row);
    for (let column = 0; column < terminal.cols; column++) {
      const cell = line?.getCell(column);
      if (cell === undefined || cell.getWidth() === 0) continue;
      const colours = [
        colourOf(cell.getFgColor(), cell.isFgRGB(), cell.isFgDefault(), theme, theme.foreground ?? "#fff"),
        colourOf(cell.getBgColor(), cell.isBgRGB(), cell.isBgDefault(), theme, background),
      ] as const;
      const [ink, paper] = cell.isInverse() ? [colours[1], colours[0]] : colours;
      const [x, y] = [margin + column * width, margin + row * height];
      if (paper !== background) fill(context, paper, x, y, width * cell.getWidth(), height);
      draw(context, cell, ink, font(cell.isBold() !== 0), x, y);
    }
  }
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error("The picture could not be made.")) : resolve(blob)));
  });
}

function fill(context: CanvasRenderingContext2D, colour: string, x: number, y: number, width: number, height: number) {
  context.fillStyle = colour;
  context.fillRect(x, y, width, height);
}

function draw(context: CanvasRenderingContext2D, cell: IBufferCell, ink: string, font: string, x: number, y: number) {
  const text = cell.getChars();
  if (text === "") return;
  context.font = font;
  context.globalAlpha = cell.isDim() === 0 ? 1 : 0.6;
  context.fillStyle = ink;
  context.fillText(text, x, y + 1);
  context.globalAlpha = 1;
}

/** A cell's colour: 24 bits, one of the theme's sixteen, or one of xterm's cube and greys. */
function colourOf(value: number, rgb: boolean, plain: boolean, theme: ITheme, otherwise: string): string {
  if (plain) return otherwise;
  if (rgb) return `#${value.toString(16).padStart(6, "0")}`;
  const name = ansiNames[value];
  if (name !== undefined) return theme[name] ?? otherwise;
  if (value >= 232) return `rgb(${[1, 1, 1].map(() => 8 + 10 * (value - 232)).join(" ")})`;
  const level = (part: number): number => (part === 0 ? 0 : 55 + 40 * part);
  const cube = value - 16;
  return `rgb(${level(Math.floor(cube / 36))} ${level(Math.floor(cube / 6) % 6)} ${level(cube % 6)})`;
}

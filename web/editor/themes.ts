/** The editor's two themes, in the colours of web/ui/theme.css and plain-editor.css. */
import type { ThemeRegistration } from "shiki/core";

interface Palette {
  surface: string;
  ink: string;
  faint: string;
  line: string;
  /** Line numbers: quiet, and still 4.5:1 on the surface. */
  lines: string;
  accent: string;
  select: string;
  raised: string;
  comment: string;
  string: string;
  escape: string;
  number: string;
  path: string;
  keyword: string;
  name: string;
}

const light: Palette = {
  surface: "#fbfcfa",
  ink: "#16211b",
  faint: "#8b978f",
  line: "#dbe3da",
  lines: "#5d6c63",
  accent: "#1b6e46",
  select: "#1b6e4633",
  raised: "#ffffff",
  comment: "#5f6f66",
  string: "#8a4b12",
  escape: "#b02e62",
  number: "#1f5f9e",
  path: "#7a4a9e",
  keyword: "#7a3e9d",
  name: "#155d73",
};

const dark: Palette = {
  surface: "#141b18",
  ink: "#e7efea",
  faint: "#66756d",
  line: "#26322c",
  lines: "#8b9b92",
  accent: "#63d49c",
  select: "#63d49c38",
  raised: "#19221e",
  comment: "#84958c",
  string: "#e3b27c",
  escape: "#f08fb3",
  number: "#84bdf5",
  path: "#c9a3ee",
  keyword: "#cf9df2",
  name: "#7fd0e0",
};

function theme(name: string, type: "light" | "dark", colours: Palette): ThemeRegistration {
  const { surface, ink, faint, line, accent, select, raised } = colours;
  return {
    name,
    type,
    colors: {
      "editor.background": surface,
      "editor.foreground": ink,
      "editorLineNumber.foreground": colours.lines,
      "editorLineNumber.activeForeground": ink,
      "editorCursor.foreground": accent,
      "editor.selectionBackground": select,
      "editor.lineHighlightBackground": `${line}55`,
      "editor.lineHighlightBorder": "#00000000",
      "editorIndentGuide.background1": line,
      "editorIndentGuide.activeBackground1": faint,
      "editorBracketMatch.background": select,
      "editorBracketMatch.border": "#00000000",
      ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((depth) => [`editorBracketHighlight.foreground${depth}`, ink])),
      "editorWidget.background": raised,
      "editorWidget.border": line,
      "editorHoverWidget.background": raised,
      "editorHoverWidget.border": line,
      "editorSuggestWidget.background": raised,
      "editorSuggestWidget.border": line,
      "editorSuggestWidget.selectedBackground": select,
      "editorSuggestWidget.foreground": ink,
      "editorSuggestWidget.selectedForeground": ink,
      "editorSuggestWidget.selectedIconForeground": ink,
      "editorSuggestWidget.highlightForeground": accent,
      "editorSuggestWidget.focusHighlightForeground": accent,
      "menu.background": raised,
      "menu.foreground": ink,
      "menu.selectionBackground": select,
      "menu.selectionForeground": ink,
      "input.background": surface,
      "input.foreground": ink,
      "list.activeSelectionBackground": select,
      "list.activeSelectionForeground": ink,
      "list.focusBackground": select,
      "list.focusForeground": ink,
      "list.hoverBackground": select,
      focusBorder: accent,
      "scrollbarSlider.background": `${faint}44`,
      "scrollbarSlider.hoverBackground": `${faint}77`,
      "editorOverviewRuler.border": "#00000000",
    },
    settings: [
      { settings: { foreground: ink, background: surface } },
      { scope: ["comment"], settings: { foreground: colours.comment } },
      { scope: ["string", "punctuation.definition.string"], settings: { foreground: colours.string } },
      {
        scope: ["constant.character.escape", "punctuation.section.embedded", "markup.italic"],
        settings: { foreground: colours.escape },
      },
      {
        scope: ["constant.numeric", "constant.language", "support.function"],
        settings: { foreground: colours.number },
      },
      {
        scope: ["string.unquoted.path", "string.unquoted.spath", "string.unquoted.url"],
        settings: { foreground: colours.path },
      },
      { scope: ["keyword.other", "keyword.control"], settings: { foreground: colours.keyword } },
      {
        scope: ["entity.other.attribute-name", "variable.parameter.name", "entity.name.function"],
        settings: { foreground: colours.name },
      },
      {
        scope: [
          "variable.other",
          "variable.parameter",
          "keyword.operator",
          "punctuation.terminator",
          "punctuation.separator",
        ],
        settings: { foreground: ink },
      },
    ],
  };
}

export const lightTheme = theme("terrarium-light", "light", light);
export const darkTheme = theme("terrarium-dark", "dark", dark);

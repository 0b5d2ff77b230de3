/** Semantic tokens: what each piece of a text is, for colouring beyond what a grammar of regular expressions can tell. */
import { walk } from "#engine/syntax/children.ts";
import { KEYWORDS, Token } from "#engine/syntax/token.ts";
import { type Document, toTextSpan } from "./document.ts";
import { CONSTANTS, isGlobal } from "./globals.ts";
import { commentsOf, type Lexeme, lexemesOf } from "#engine/syntax/lexemes.ts";
import { type Definition, namesOf, withsOf } from "./scopes.ts";
import type { SemanticToken, TokenType } from "./types.ts";

type Classification = Pick<SemanticToken, "type" | "modifier">;

/** The tokens of a document in order; white space has none. */
export function semanticTokens(document: Document): SemanticToken[] {
  const lexemes = lexemesOf(document.source);
  const names = classifyNames(document);
  const tokens = lexemes
    .filter((lexeme) => lexeme.end > lexeme.start)
    .map(({ terminal, start, end }): SemanticToken => ({
      start,
      end,
      ...(names.get(start) ?? { type: lexicalType(terminal) }),
    }));
  for (const comment of commentsOf(document.source.text, lexemes)) tokens.push({ ...comment, type: "comment" });
  return tokens.sort((a, b) => a.start - b.start).map((token) => ({ ...token, ...toTextSpan(document, token) }));
}

/** What names are, by the offset they start at. */
function classifyNames(document: Document): Map<number, Classification> {
  const found = new Map<number, Classification>();
  walk(document.ast, (node) => {
    if (node.kind === "static-name" && !found.has(node.start)) found.set(node.start, { type: "property" });
    else if (node.kind === "path-binding") {
      for (const name of node.path) found.set(name.start, { type: "property", modifier: "definition" });
      if (node.value.kind === "lambda")
        found.set(node.path.at(-1)!.start, { type: "function", modifier: "definition" });
    }
  });
  const { definitions, references } = namesOf(document);
  for (const reference of references) {
    const isUnknown =
      reference.definition === null && !isGlobal(reference.name) && withsOf(reference.scope).length === 0;
    const type = reference.definition === null ? globalType(reference.name) : definitionType(reference.definition);
    found.set(reference.start, isUnknown ? { type, modifier: "unresolved" } : { type });
  }
  for (const definition of definitions) {
    for (const name of definition.names) {
      if (definition.node.kind === "inherit-binding" && definition.node.from === null) continue;
      const type =
        definition.kind === "rec" && definition.value?.kind !== "lambda" ? "property" : definitionType(definition);
      found.set(name.start, { type, modifier: isUnused(definition) ? "unused" : "definition" });
    }
  }
  return found;
}

/** Whether nothing in the file uses a name that only the file can use. */
export function isUnused(definition: Definition): boolean {
  const isOwn =
    definition.kind === "let" ||
    definition.kind === "param" ||
    (definition.kind === "inherit" && definition.owner.kind === "let");
  const isLegacyBody = definition.owner.kind === "attr-set" && definition.name === "body";
  return isOwn && !isLegacyBody && definition.references.length === 0 && !definition.name.startsWith("_");
}

function definitionType(definition: Definition): TokenType {
  if (definition.kind === "param" || definition.kind === "formal") return "parameter";
  return definition.value?.kind === "lambda" ? "function" : "variable";
}

function globalType(name: string): TokenType {
  if (CONSTANTS.has(name)) return "constant";
  return isGlobal(name) ? "builtin" : "variable";
}

const KEYWORD_TERMINALS: ReadonlySet<number> = new Set(KEYWORDS.values());

const TYPES: ReadonlyMap<number, TokenType> = new Map<number, TokenType>([
  [Token.ID, "variable"],
  [Token.STR, "string"],
  [Token.IND_STR, "string"],
  [Token.QUOTE, "string"],
  [Token.IND_OPEN, "string"],
  [Token.IND_CLOSE, "string"],
  [Token.DOLLAR_CURLY, "escape"],
  [Token.INT, "number"],
  [Token.FLOAT, "number"],
  [Token.PATH, "path"],
  [Token.HPATH, "path"],
  [Token.SPATH, "path"],
  [Token.URI, "url"],
  [Token.SEMICOLON, "punctuation"],
  [Token.PAREN_OPEN, "punctuation"],
  [Token.PAREN_CLOSE, "punctuation"],
  [Token.CURLY_OPEN, "punctuation"],
  [Token.CURLY_CLOSE, "punctuation"],
  [Token.BRACKET_OPEN, "punctuation"],
  [Token.BRACKET_CLOSE, "punctuation"],
  [Token.COMMA, "punctuation"],
  [Token.DOT, "punctuation"],
  [Token.COLON, "punctuation"],
]);

function lexicalType(terminal: Lexeme["terminal"]): TokenType {
  return KEYWORD_TERMINALS.has(terminal) ? "keyword" : (TYPES.get(terminal) ?? "operator");
}

/**
 * One plain sentence on an error message, for someone who meets it the first time.
 *
 * Invariant: it says what the message means and where to look, never what to think of it; unknown messages have none.
 */

/** Messages (Nix's wording, or the module system's) and what they mean; the first that matches counts. `$1` is a group. */
const EXPLANATIONS: readonly (readonly [RegExp, string])[] = [
  [
    /^syntax error, .*expecting ':' or '@'$/,
    "Braces with bare names are a function's arguments, which ':' and a body follow; a set has 'name = value;' inside.",
  ],
  [
    /^syntax error, unexpected end of file/,
    "Something that was opened is not closed: look for a missing '}', ')', ']', quote or 'in'.",
  ],
  [/^syntax error, .*expecting ';'$/, "Each binding ends with a semicolon, and the one before this place has none."],
  [
    /^syntax error, unexpected '='/,
    "A name and '=' can only stand inside { } or between 'let' and 'in'; perhaps the line above lacks its ';'.",
  ],
  [/^syntax error, .*expecting '\.' or '='$/, "Inside { } each name is followed by '= value;'."],
  [
    /^syntax error, unexpected '[\])}]'/,
    "This closes something that was not opened, or something before it is not finished.",
  ],
  [/^syntax error, unexpected ('then'|'else')/, "'if', 'then' and 'else' belong together, in this order."],
  [/^syntax error, unexpected invalid token/, "Nix has no use for this character outside a string."],
  [/^syntax error/, "Nix cannot read on here: what comes before is not finished, or this does not belong here."],
  [/^attribute '(.*)' already defined at/, "'$1' has two values in one set; keep one of them."],
  [/^duplicate formal function argument/, "Each argument of a function needs its own name."],
  [
    /^undefined variable '(.*)'/,
    "Nothing here is called '$1': it is misspelt, lacks its set ('lib.', 'pkgs.', 'builtins.'), or the function does not take it.",
  ],
  [/^attribute '(.*)' .*missing/, "The set has no '$1'; compare its spelling with the names the set has."],
  [
    /^infinite recursion encountered/,
    "To compute this value Nix needs the value itself; somewhere it refers to itself.",
  ],
  [
    /^stack overflow; max-call-depth exceeded/,
    "Functions called each other too deep; usually a recursion without an end.",
  ],
  [/^expected a set but found/, "Only a set { … } has attributes; what stands before the dot is something else."],
  [/^expected a (.*) but found (.*?):/, "Here a value of type $1 is needed, and there is $2."],
  [/^value is (.*) while (?:a|an) (.*) was expected/, "Here a value of type $2 is needed, and there is $1."],
  [
    /^cannot coerce (.*?) to a string/,
    "Only texts, paths and derivations can become part of a string; for numbers use 'toString'.",
  ],
  [/^cannot compare/, "Only two numbers, two strings, two paths or two lists have an order."],
  [/^cannot add/, "'+' joins two numbers, two strings or paths, not a mixture."],
  [
    /^attempt to call something which is not a function/,
    "What stands first is not a function, so it cannot take an argument; perhaps a ';' or parentheses are missing.",
  ],
  [/called without required argument '(.*)'/, "The function needs an attribute '$1' in the set it is called with."],
  [
    /called with unexpected argument '(.*)'/,
    "The function takes no '$1'; without '...' it accepts only the names it lists.",
  ],
  [/^assertion .*failed/, "A condition that the code demands does not hold."],
  [/^division by zero/, "The number after '/' is 0."],
  [/^integer overflow/, "The result is beyond the 64-bit integers."],
  [/^invalid integer/, "The number is beyond the 64-bit integers."],
  [
    /^path '(.*)' does not exist/,
    "There is no file or folder at this place; paths are relative to the file they are written in.",
  ],
  [
    /^getting status of .*: No such file or directory/,
    "There is no file or folder at this place; paths are relative to the file they are written in.",
  ],
  [/^file '(.*)' was not found in the Nix search path/, "No entry of the search path has '$1'."],
  [/^path has a trailing slash/, "A path ends with a name, not with '/'."],
  [
    /^experimental Nix feature '(.*)' is disabled/,
    "'$1' is part of Nix only when its experimental feature is switched on.",
  ],
  [/^dynamic attributes not allowed in let/, "Names between 'let' and 'in' must be written out, without ${…}."],
  [/^dynamic attributes not allowed in inherit/, "Names after 'inherit' must be written out, without ${…}."],
  [/^The option `(.*?)' does not exist/, "No module declares '$1': it is misspelt, or its module is not imported."],
  [
    /^The option `(.*?)' has conflicting definition/,
    "Two places give '$1' different values; keep one, or let one win with lib.mkForce.",
  ],
  [
    /^The option `(.*?)' (?:is used but not defined|(?:is|was) accessed but has no value)/,
    "'$1' has no default, and no module sets it.",
  ],
  [/option `(.*?)' is not of type `(.*?)'/, "'$1' takes a value of this kind: $2."],
  [/^The option `(.*?)' is read-only/, "'$1' can be set only once, and it is set already."],
  [/^'(?:builtins\.)?(head|tail)' called on an empty list/, "'$1' needs a list with at least one element."],
  [
    /^'builtins\.elemAt' called with index (.*) on a list of size (.*)/,
    "The list has $2 elements, counted from 0; there is none at $1.",
  ],
  [/^cannot create list of size/, "A list cannot have fewer than no elements."],
  [/^negative start position/, "Positions in a string are counted from 0."],
  [
    /^access to (?:absolute path|URI) '(.*)' is forbidden/,
    "This evaluation may not look at '$1', so that it gives the same result everywhere.",
  ],
  [/^required attribute '(.*)' missing/, "A derivation needs '$1': what it is called, where it is built, and by what."],
  [/^evaluation aborted with the following error message/, "The code gave up on purpose; its own words follow."],
  [
    /doesn't represent an absolute path/,
    "A text that stands for a path starts with '/'; without quotes ./name is a path.",
  ],
  [
    /is not allowed to refer to a store path/,
    "This text contains a path of the store, and here nothing may depend on one; builtins.unsafeDiscardStringContext drops that.",
  ],
  [
    /^a string that refers to a store path cannot be appended to a path/,
    'Put the path into the text instead: "${path}/name".',
  ],
  [/^dynamic attribute '(.*)' already defined/, "'$1', a name that was computed, is in this set twice."],
  [/^cannot convert (.*) to JSON/, "JSON has no form for $1; leave it out, or call it first."],
  [/^invalid regular expression/, "A parenthesis, bracket or repetition in the pattern has no partner."],
  [/^unknown hash (?:algorithm|format) '(.*?)'/, "There is no '$1'; the message lists those there are."],
  [/is not in the Nix store$/, "Only paths that begin with the store's directory are store paths."],
  [
    /^hash mismatch/,
    "What was downloaded is not what the hash stands for; if the new content is right, take the hash under 'got'.",
  ],
  [
    /^cannot build '(.*?)' during evaluation because/,
    "The code reads something that would have to be built first, and that is switched off.",
  ],
  [
    /illegal character|names are allowed to contain only/,
    "Names in the store have letters, digits and + - . _ ? = only.",
  ],
  [/^while parsing TOML/, "The text is not TOML; the lines below show where."],
  [/^\[json\.exception/, "The text is not JSON; line and column say where it stops being."],
  [/^attribute '(.*)' in selection path '(.*)' not found/, "There is no '$1' on the way to $2."],
  [/^cannot read directory/, "This is a file; only folders have entries."],
  [/^Failed assertions/, "The configuration contradicts itself; each line below says where."],
];

/** What a message means, or null. Only the first line counts, without `error: `. */
export function explain(message: string): string | null {
  const line = message
    .replace(/^error: /, "")
    .split("\n")[0]!
    .trim();
  for (const [pattern, sentence] of EXPLANATIONS) {
    const match = pattern.exec(line);
    if (match !== null) return sentence.replace(/\$(\d)/g, (_, group: string) => match[Number(group)] ?? "");
  }
  return null;
}

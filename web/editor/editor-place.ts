/** Where somebody is in a text: what the plain editor hands to Monaco when that takes its place. Offsets in UTF-16 units. */
export interface EditorPlace {
  focused: boolean;
  selectionStart: number;
  selectionEnd: number;
  scrollTop: number;
  scrollLeft: number;
}

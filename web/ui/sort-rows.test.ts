import { expect, it } from "vitest";
import { sortRows, type Column } from "./sort-rows.ts";

const rows = [
  { name: "b", size: 1 },
  { name: "a", size: 3 },
  { name: "c", size: 2 },
];
const name: Column<(typeof rows)[number]> = { id: "name", title: "", value: (row) => row.name, cell: () => null };
const size: Column<(typeof rows)[number]> = {
  id: "size",
  title: "",
  numeric: true,
  value: (row) => row.size,
  cell: () => null,
};

it.each([
  [name, false, "abc"],
  [name, true, "cba"],
  [size, false, "acb"],
  [size, true, "bca"],
])("%o", (column, turned, expected) =>
  expect(
    sortRows(rows, column, turned)
      .map((row) => row.name)
      .join(""),
  ).toBe(expected),
);

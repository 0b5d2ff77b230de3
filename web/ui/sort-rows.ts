/** Rows in the order of one of a table's columns. */
import type { ReactNode } from "react";

export interface Column<Row> {
  id: string;
  title: string;
  /** What it is sorted by; numbers begin with the largest. */
  value(row: Row): number | string;
  cell(row: Row): ReactNode;
  numeric?: boolean;
}

/** Numbers fall, text rises, unless turned round. */
export function direction<Row>(column: Column<Row>, turned: boolean): "ascending" | "descending" {
  return Boolean(column.numeric) === turned ? "ascending" : "descending";
}

export function sortRows<Row>(rows: Row[], by: Column<Row>, turned: boolean): Row[] {
  const sign = direction(by, turned) === "ascending" ? 1 : -1;
  return rows.toSorted((a, b) => {
    const [x, y] = [by.value(a), by.value(b)];
    return sign * (x < y ? -1 : x > y ? 1 : 0);
  });
}

/** A table sorted by the column whose head was pressed. Rows are chosen with a press, or with Enter from the keyboard. */
import { useState, type ReactNode } from "react";
import "./table.css";

export interface Column<Row> {
  id: string;
  title: string;
  /** What it is sorted by; numbers begin with the largest. */
  value(row: Row): number | string;
  cell(row: Row): ReactNode;
  numeric?: boolean;
}

export interface TableProps<Row> {
  label: string;
  rows: Row[];
  columns: Column<Row>[];
  keyOf(row: Row): string;
  first: string;
  chosen?: string | null;
  choose?(row: Row): void;
}

export function Table<Row>({ label, rows, columns, keyOf, first, chosen, choose }: TableProps<Row>) {
  const [sort, setSort] = useState({ id: first, turned: false });
  const by = columns.find((column) => column.id === sort.id) ?? columns[0];
  const sorted = by ? sortRows(rows, by, sort.turned) : rows;
  return (
    <table className="table" aria-label={label}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th
              key={column.id}
              className={column.numeric ? "table-number" : undefined}
              aria-sort={column.id === sort.id ? direction(column, sort.turned) : undefined}
            >
              <button
                type="button"
                onClick={() => setSort({ id: column.id, turned: column.id === sort.id && !sort.turned })}
              >
                {column.title}
                <span aria-hidden="true">
                  {column.id === sort.id && (direction(column, sort.turned) === "ascending" ? "↑" : "↓")}
                </span>
              </button>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {sorted.map((row) => (
          <tr
            key={keyOf(row)}
            className={chosen === keyOf(row) ? "table-chosen" : undefined}
            onClick={() => choose?.(row)}
          >
            {columns.map((column) => (
              <td key={column.id} className={column.numeric ? "table-number numeric" : undefined}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Numbers fall, text rises, unless turned round. */
function direction<Row>(column: Column<Row>, turned: boolean): "ascending" | "descending" {
  return Boolean(column.numeric) === turned ? "ascending" : "descending";
}

export function sortRows<Row>(rows: Row[], by: Column<Row>, turned: boolean): Row[] {
  const sign = direction(by, turned) === "ascending" ? 1 : -1;
  return rows.toSorted((a, b) => {
    const [x, y] = [by.value(a), by.value(b)];
    return sign * (x < y ? -1 : x > y ? 1 : 0);
  });
}

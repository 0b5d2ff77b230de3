/** A table sorted by the column whose head was pressed. Rows are chosen with a press, or with Enter from the keyboard. */
import { useState } from "react";
import { direction, sortRows, type Column } from "./sort-rows.ts";
import "./table.css";

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

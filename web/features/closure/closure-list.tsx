/** The closure as a list, sorted by any column and narrowed by a few letters. */
import { useState } from "react";
import { ambiguousNames } from "#web/state/derive.ts";
import { formatBytes } from "#web/state/format.ts";
import type { ClosurePath } from "#web/state/model.ts";
import { StoreName } from "#web/ui/store-name.tsx";
import type { Column } from "#web/ui/sort-rows.ts";
import { Table } from "#web/ui/table.tsx";
import type { ClosureViewProps } from "./closure.tsx";

function columns(twice: Set<string>, choose: (path: string) => void): Column<ClosurePath>[] {
  return [
    {
      id: "name",
      title: "Name",
      value: (row) => row.name,
      cell: (row) => <StoreName path={row.path} hash={twice.has(row.name)} open={choose} />,
    },
    { id: "size", title: "Size", numeric: true, value: (row) => row.narSize, cell: (row) => formatBytes(row.narSize) },
    {
      id: "closure",
      title: "With all it needs",
      numeric: true,
      value: (row) => row.closureSize,
      cell: (row) => formatBytes(row.closureSize),
    },
    {
      id: "references",
      title: "References",
      numeric: true,
      value: (row) => row.references.length,
      cell: (row) => row.references.length,
    },
    {
      id: "referrers",
      title: "Referrers",
      numeric: true,
      value: (row) => row.referrers.length,
      cell: (row) => row.referrers.length,
    },
  ];
}

export function ClosureList({ paths, chosen, choose }: ClosureViewProps) {
  const [typed, setTyped] = useState("");
  const found = paths.filter((each) => each.name.includes(typed.trim()));
  const twice = ambiguousNames(paths.map((each) => each.path));
  return (
    <>
      <div className="closure-filter">
        <input
          className="field"
          type="search"
          aria-label="Only names with"
          placeholder="Filter by name"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </div>
      <Table
        label="Closure"
        rows={found}
        columns={columns(twice, choose)}
        keyOf={(row) => row.path}
        first="size"
        chosen={chosen}
        choose={(row) => choose(row.path)}
      />
    </>
  );
}

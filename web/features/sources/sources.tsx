/** What the workspace is made from besides its own files: package sets, and caches that spare building. */
import { useTransfer } from "./use-transfer.ts";
import { Caches } from "./caches.tsx";
import { PackageSets } from "./package-sets.tsx";
import "./sources.css";

export default function Sources() {
  const transfer = useTransfer();
  if (transfer === null) return <div className="panel" />;
  return (
    <div className="panel">
      <div className="sources-columns">
        <PackageSets transfer={transfer} />
        <Caches transfer={transfer} />
      </div>
    </div>
  );
}

/** Data asked for once a key: what a panel shows of one path, one pair, one plan. */
import { useEffect, useEffectEvent, useState } from "react";

export type Answer<T> = { loading: true } | { loading: false; value: T };

/** Asks again when `key` changes; an answer that comes late is dropped. A null key asks nothing. */
export function useAnswer<T>(key: string | null, ask: () => Promise<T>): Answer<T> {
  const [found, setFound] = useState<{ key: string; value: T } | null>(null);
  const begin = useEffectEvent(ask);
  useEffect(() => {
    if (key === null) return undefined;
    let wanted = true;
    const run = async (): Promise<void> => {
      const value = await begin();
      if (wanted) setFound({ key, value });
    };
    void run();
    return () => {
      wanted = false;
    };
  }, [key]);
  return found !== null && found.key === key ? { loading: false, value: found.value } : { loading: true };
}

/** What takes in and takes home, once its code is there, and the state it keeps. */
import { useEffect } from "react";
import { useStore } from "zustand/react";
import { usePage } from "#web/state/context.ts";
import type { TransferActions } from "#web/state/session/transferring.ts";
import { transferStore, type TransferState } from "#web/state/transfer.ts";
import { useAnswer } from "#web/ui/use-answer.ts";

/** Null until it is there; then what the browser has is read. */
export function useTransfer(): TransferActions | null {
  const { actions } = usePage();
  const answer = useAnswer("transfer", () => actions.transferring());
  const transfer = answer.loading ? null : answer.value;
  useEffect(() => void transfer?.refresh(), [transfer]);
  return transfer;
}

/** A part of what it keeps. */
export function useTransferState<T>(select: (state: TransferState) => T): T {
  return useStore(transferStore, select);
}

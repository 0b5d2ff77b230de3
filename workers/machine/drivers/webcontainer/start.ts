/** The simulation as the page holds it: what a machine worker's remote interface is, without a worker. */
import { openReader } from "#workers/store/reader.ts";
import type { Machine, MachineListener } from "../../types.ts";
import { startContainer } from "./container.ts";
import { SimulatedMachine } from "./simulation.ts";

/** @param storeDatabase the IndexedDB database of the workspace's store */
export function createSimulation(storeDatabase: string, listener: MachineListener): Machine {
  return new SimulatedMachine({ startContainer, store: openReader(storeDatabase), now: Date.now }, listener);
}

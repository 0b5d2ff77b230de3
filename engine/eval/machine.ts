export interface Machine {
  readonly stack: unknown[];
}

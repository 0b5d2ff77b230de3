/** Lets the page answer before work goes on. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

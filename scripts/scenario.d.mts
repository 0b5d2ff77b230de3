/** What of scenario.mjs the tests use. */
export declare const ROOT: string;
export declare const environment: Readonly<Record<string, string>>;
export declare function playScenario(
  file: string,
): AsyncGenerator<{ readonly cwd: string; readonly argv: readonly string[] }, undefined>;

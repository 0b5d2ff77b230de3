/** The page: one worker for each job, ended when the job asks for it. What only the browser's driver can do it calls by name. */
import type { Ending, Job, Message } from "./job.ts";

declare global {
  /** Ends this tab or the browser. */
  function killOutside(): Promise<void>;
  var runJob: (job: Job, end: "worker" | "outside", delay: number) => Promise<Ending>;
}

/** Waits without giving up the thread: timers are too coarse for the moments within one transaction. */
function spin(milliseconds: number): void {
  const until = performance.now() + milliseconds;
  while (performance.now() < until);
}

/** Runs a job. When it asks for its end, that comes after `delay` milliseconds: of its worker, or from outside. */
globalThis.runJob = (job, end, delay) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./lab-worker.ts", import.meta.url), { type: "module" });
    const finish = (ending: Ending) => {
      worker.terminate();
      // The next job has a database of its own; nobody waits until this one is gone.
      if (job.kind === "inspect") indexedDB.deleteDatabase(job.database);
      resolve(ending);
    };
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }: MessageEvent<Message>) => {
      switch (data.kind) {
        case "answer":
          return finish({ killed: false, answer: data.answer });
        case "broken":
          worker.terminate();
          return reject(new Error(data.message));
        case "kill":
          spin(delay);
          if (end === "worker") return finish({ killed: true });
          return void killOutside();
      }
    };
    worker.postMessage(job);
  });

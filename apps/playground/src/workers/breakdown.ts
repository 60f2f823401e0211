/** Rejects when a worker breaks down, which is ended then: its program cannot be loaded, or it lacks memory. Never resolves. */
export function breakdownOf(worker: Worker): Promise<never> {
  const broken = new Promise<never>((_, reject) => {
    worker.addEventListener("error", ({ message }) => {
      worker.terminate();
      const why = message || "it could not be loaded, or lacks memory";
      reject(new Error(`What works in the background broke down: ${why}. Try it again, or reload the page.`));
    });
  });
  // Whoever waits hears of it; nobody may be waiting.
  broken.catch(() => undefined);
  return broken;
}

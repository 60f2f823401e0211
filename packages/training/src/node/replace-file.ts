import { rename } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Renames over `to`. Windows refuses for a moment while a virus scanner looks at the new file. */
export async function replaceFile(from: string, to: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await rename(from, to);
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? "";
      if (attempt === 5 || !["EPERM", "EBUSY", "EACCES"].includes(code)) throw error;
      await sleep(50 * 2 ** attempt);
    }
  }
}

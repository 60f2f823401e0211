// A vitest reporter: says what was skipped (a test's name ends with the reason), and writes `N passed, N failed, N skipped` into the
// file that OCELLI_COUNTS names.
import { writeFileSync } from "node:fs";

export default class CountReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const file = process.env.OCELLI_COUNTS;
    if (file === undefined) return;
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      let failedTests = 0;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === "failed") failedTests++;
        else if (state === "passed") counts.passed++;
        else {
          counts.skipped++;
          console.log(`skipped: ${test.fullName}`);
        }
      }
      // A file that fails without a failing test (it does not load, or a hook throws) counts as one.
      counts.failed += failedTests > 0 || module.ok() ? failedTests : 1;
    }
    writeFileSync(file, `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
  }
}

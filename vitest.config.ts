import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { playwright } from "@vitest/browser-playwright";
import { defaultClientConditions, defaultServerConditions } from "vite";
import { configDefaults, defineConfig, type TestProjectInlineConfiguration } from "vitest/config";

/** What the machine must have: a comma-separated list. Named there, a missing thing is an error and no skip. */
const required = (process.env.OCELLI_REQUIRE ?? "").split(",").map((name) => name.trim());

// Dawn (package `webgpu`) finds no adapter through the default list; forks inherit this. A set variable is kept.
const swiftShader = ["/usr/lib/chromium", "/opt/google/chrome"]
  .map((folder) => join(folder, "vk_swiftshader_icd.json"))
  .find((path) => existsSync(path));
if (swiftShader !== undefined) process.env.VK_ICD_FILENAMES ??= swiftShader;

// Tests run on the sources, without building. Setting conditions replaces Vite's defaults, so those are repeated.
const onSources = {
  resolve: { conditions: ["@ocelli/source", ...defaultClientConditions] },
  ssr: { resolve: { conditions: ["@ocelli/source", ...defaultServerConditions] } },
  // Lowers `using`, which neither Node 20 understands nor Vite's dev server lowers by itself.
  oxc: { target: "es2022" },
} satisfies TestProjectInlineConfiguration;

const inNode = {
  environment: "node",
  // Machines that test do other things at the same time: a hang is told apart from a slow minute.
  testTimeout: 30_000,
} satisfies TestProjectInlineConfiguration["test"];

/** Tests of devices, which hold native resources, and of the command, which has an environment: each file has a process of its own. */
const alone = ["packages/kernels-*/{src,test}/**/*.test.ts", "apps/cli/test/**/*.test.ts"];

const node: TestProjectInlineConfiguration = {
  ...onSources,
  test: { ...inNode, name: "node", include: alone },
};

/** All others leave nothing behind: files share processes, which load each module once. */
const pure: TestProjectInlineConfiguration = {
  ...onSources,
  test: {
    ...inNode,
    name: "pure",
    isolate: false,
    include: ["packages/*/{src,test}/**/*.test.ts", "apps/playground/src/**/*.test.ts"],
    exclude: [...configDefaults.exclude, ...alone],
  },
};

const types: TestProjectInlineConfiguration = {
  ...onSources,
  test: {
    name: "types",
    include: [],
    typecheck: {
      enabled: true,
      only: true,
      // Errors elsewhere are for `npm run typecheck` to report.
      ignoreSourceErrors: true,
      include: ["packages/*/{src,test}/**/*.test-d.ts"],
      tsconfig: "./tsconfig.json",
    },
  },
};

/** The first Chromium or Chrome of the usual places; `CHROME` comes first. */
function findChromium(): string | undefined {
  const { CHROME, PROGRAMFILES, LOCALAPPDATA } = process.env;
  if (CHROME) return CHROME;
  const places: Record<string, string[]> = {
    linux: [
      "/usr/bin/chromium",
      "/usr/bin/chromium-browser",
      "/usr/bin/google-chrome",
      "/usr/bin/google-chrome-stable",
    ],
    darwin: ["Google Chrome", "Chromium"].map((app) => `/Applications/${app}.app/Contents/MacOS/${app}`),
    win32: [PROGRAMFILES, LOCALAPPDATA]
      .filter((folder) => folder !== undefined)
      .map((folder) => join(folder, "Google/Chrome/Application/chrome.exe")),
  };
  return places[process.platform]?.find((path) => existsSync(path));
}

function browser(executablePath: string): TestProjectInlineConfiguration {
  return {
    ...onSources,
    // Found late, a dependency would make Vite reload the page in the middle of a test.
    optimizeDeps: { include: ["onnxruntime-web/wasm", "modern-tar"], exclude: ["onnxruntime-node", "webgpu"] },
    // Threaded WebAssembly needs both.
    server: {
      headers: { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp" },
    },
    test: {
      name: "browser",
      include: ["packages/*/test-browser/**/*.test.ts"],
      // The environment of this process is not the page's.
      env: { OCELLI_REQUIRE_WEBGPU: required.includes("webgpu") ? "1" : "" },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({
          launchOptions: {
            executablePath,
            // Elsewhere the machine's own adapter serves.
            args:
              process.platform === "linux"
                ? ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]
                : ["--enable-unsafe-webgpu"],
          },
        }),
        instances: [{ browser: "chromium" }],
      },
    },
  };
}

/** The playground as built, in a browser: see apps/playground/test/harness.ts. */
function playground(executablePath: string): TestProjectInlineConfiguration {
  return {
    test: {
      name: "playground",
      environment: "node",
      include: ["apps/playground/test/**/*.test.ts"],
      globalSetup: "apps/playground/test/global-setup.ts",
      provide: { chromium: executablePath },
      // Stories wait for networks that train: with nothing but other stories beside them.
      sequence: { groupOrder: 1 },
    },
  };
}

function browserProjects(): TestProjectInlineConfiguration[] {
  const executablePath = findChromium();
  let reason: string | undefined;
  if (executablePath === undefined) reason = "no Chromium or Chrome was found (set CHROME to the path of one)";
  else if (!existsSync(executablePath)) reason = `CHROME names ${executablePath}, which does not exist`;
  if (executablePath !== undefined && reason === undefined)
    return [browser(executablePath), playground(executablePath)];
  if (required.includes("browser")) throw new Error(`OCELLI_REQUIRE asks for browser tests, but ${reason}`);
  console.log(`skipped: browser tests, because ${reason}`);
  return [];
}

export default defineConfig({
  test: {
    passWithNoTests: true,
    // Vitest leaves one processor free, which on two would be every second.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    reporters: ["default", "./scripts/count-reporter.mjs"],
    projects: [pure, node, types, ...browserProjects()],
  },
});

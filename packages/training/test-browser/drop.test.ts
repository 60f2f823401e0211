import { describe, expect, it, onTestFinished } from "vitest";
import { cdp, server } from "vitest/browser";
import { droppedFiles, type LocatedFile } from "../src/web/index.js";

/** Drops files and folders of this machine, as a user does from a file manager. */
async function drop(...paths: string[]): Promise<LocatedFile[]> {
  const zone = document.createElement("div");
  zone.style.cssText = "position: fixed; inset: 0; background: silver";
  document.body.append(zone);
  onTestFinished(() => zone.remove());
  const dropped = new Promise<LocatedFile[]>((resolve, reject) => {
    zone.addEventListener("dragover", (event) => event.preventDefault());
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      droppedFiles(event.dataTransfer as DataTransfer).then(resolve, reject);
    });
  });
  // The test's page is a frame in vitest's own.
  const frame = window.frameElement?.getBoundingClientRect() ?? { left: 0, top: 0 };
  const data = { items: [], files: paths.map((path) => `${server.config.root}/${path}`), dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const) {
    await cdp().send("Input.dispatchDragEvent", { type, x: frame.left + 20, y: frame.top + 20, data });
  }
  return dropped;
}

describe("a drop", () => {
  it("gives files and what is in folders, with their paths", async () => {
    const files = await drop("packages/training/src/web", "packages/training/package.json");
    const paths = files.map(({ path }) => path);
    expect(paths).toContain("package.json");
    expect(paths).toContain("web/located.ts");
    expect(paths).toEqual([...paths].sort());
    const own = files.find(({ path }) => path === "web/located.ts") as LocatedFile;
    expect(await own.file.text()).toContain("export async function droppedFiles");
  });

  it("leaves out hidden files and folders", async () => {
    const files = await drop("packages/training/test-browser", ".gitignore", ".github");
    expect(files.map(({ path }) => path)).toContain("test-browser/drop.test.ts");
    expect(files.some(({ path }) => path.startsWith("."))).toBe(false);
  });

  it("reads folders to their end, which browsers give in parts, and stops when asked to", async () => {
    const file = (fullPath: string) => {
      const name = fullPath.slice(fullPath.lastIndexOf("/") + 1);
      return { fullPath, name, isDirectory: false, file: (done: (file: File) => void) => done(new File([name], name)) };
    };
    const names = Array.from({ length: 250 }, (_, i) => `/all/${String(i).padStart(3, "0")}.png`);
    const createReader = () => {
      const left = names.map(file);
      return { readEntries: (done: (entries: object[]) => void) => done(left.splice(0, 100)) };
    };
    const entry = { fullPath: "/all", name: "all", isDirectory: true, createReader };
    const items = [
      { kind: "string", webkitGetAsEntry: () => null },
      { kind: "file", webkitGetAsEntry: () => entry },
    ];
    const transfer = { items } as unknown as DataTransfer;
    const files = await droppedFiles(transfer);
    expect(files.map(({ path }) => `/${path}`)).toEqual(names);
    expect(await files[249]?.file.text()).toBe("249.png");
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(droppedFiles(transfer, { signal })).rejects.toThrow("enough");
  });
});

import type { LocatedFile } from "@ocelli/training/web";

/** Files of an input with their places in the folder that was chosen. */
export const locatedFiles = (files: readonly File[]): LocatedFile[] =>
  files.map((file) => ({ path: file.webkitRelativePath || file.name, file }));

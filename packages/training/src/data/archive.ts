import { FormatError } from "@ocelli/core";
import { createTarDecoder } from "modern-tar";

/** What to take from an archive. */
export interface ArchiveSelection {
  /** File names, without folders. */
  readonly names: ReadonlySet<string>;
  /** Most bytes that one of them may have. */
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

/**
 * Reads files out of a `.tar.gz`, into memory. Only plain files whose last path component is in `names` are taken, and paths
 * of the archive are never used as paths: an entry `../../x` can write nowhere. Everything else is skipped.
 * @param archive its name, for errors
 * @throws FormatError when the archive is damaged, or a wanted file is too large or there twice
 */
export async function readTarGz(
  archive: string,
  compressed: ReadableStream<BufferSource>,
  selection: ArchiveSelection,
): Promise<Map<string, Uint8Array>> {
  const { signal } = selection;
  const found = new Map<string, Uint8Array>();
  try {
    const entries = compressed
      .pipeThrough(new DecompressionStream("gzip"), signal ? { signal } : {})
      .pipeThrough(createTarDecoder({ strict: true }));
    for await (const { header, body } of iterate(entries)) {
      const name = header.name.slice(header.name.lastIndexOf("/") + 1);
      if ((header.type ?? "file") !== "file" || !selection.names.has(name)) await body.cancel();
      else found.set(name, await readEntry(body, { archive, name, size: header.size, selection, found }));
    }
  } catch (error) {
    signal?.throwIfAborted();
    // A file system's and a browser's own errors say what is wrong with the file.
    const unread = (error as { syscall?: string }).syscall !== undefined || error instanceof DOMException;
    if (error instanceof FormatError || unread) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new FormatError(`${archive}: damaged or cut-off tar.gz archive (${reason})`, { file: archive, cause: error });
  }
  return found;
}

async function readEntry(
  body: ReadableStream<Uint8Array>,
  entry: {
    readonly archive: string;
    readonly name: string;
    readonly size: number;
    readonly selection: ArchiveSelection;
    readonly found: ReadonlyMap<string, Uint8Array>;
  },
): Promise<Uint8Array> {
  const { archive, name, size, selection, found } = entry;
  if (found.has(name)) throw new FormatError(`${archive}: holds ${name} twice`, { file: archive, name });
  if (size > selection.maxBytes) {
    throw new FormatError(`${archive}: ${name} has ${size} bytes; at most ${selection.maxBytes} are taken`, {
      file: archive,
      name,
      size,
    });
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for await (const chunk of iterate(body)) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Safari's streams cannot be iterated themselves. */
async function* iterate<T>(stream: ReadableStream<T>): AsyncGenerator<T> {
  const reader = stream.getReader();
  let ended = false;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      ended = done;
      if (done) return;
      yield value;
    }
  } finally {
    // Left early: nobody reads on. What fails then has nothing to add.
    if (!ended) reader.cancel().catch(() => {});
  }
}

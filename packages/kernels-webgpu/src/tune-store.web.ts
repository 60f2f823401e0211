import { type ChoiceStore, choicesText, joinedChoices, memoryChoices, parsedChoices } from "./tune-store.js";

const table = "choices";
/** Milliseconds until a database that does not answer counts as missing. */
const patience = 2000;

/** Choices in IndexedDB; where there is none (some private windows, sandboxed frames), for the life of the page. */
export function databaseChoices(name = "ocelli-webgpu"): ChoiceStore {
  const memory = memoryChoices();
  let opened: Promise<IDBDatabase | undefined> | undefined;
  const database = (): Promise<IDBDatabase | undefined> => {
    opened ??= open(name);
    return opened;
  };
  return {
    load: async (device) => {
      const found = await memory.load(device);
      const text = await transact(await database(), "readonly", device, () => undefined);
      return joinedChoices(text === undefined ? new Map() : parsedChoices(device, text), found);
    },
    save: async (device, choices) => {
      await memory.save(device, choices);
      // One transaction, so that two tabs do not lose each other's choices.
      await transact(await database(), "readwrite", device, (text) =>
        choicesText(device, joinedChoices(text === undefined ? new Map() : parsedChoices(device, text), choices)),
      );
    },
  };
}

function open(name: string): Promise<IDBDatabase | undefined> {
  const opening = new Promise<IDBDatabase | undefined>((resolve) => {
    try {
      const request = globalThis.indexedDB.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(table);
      request.onsuccess = () => {
        const database = request.result;
        // Whoever deletes the site's data should not have to wait for this page.
        database.onversionchange = () => database.close();
        resolve(database);
      };
      request.onerror = () => resolve(undefined);
    } catch {
      resolve(undefined);
    }
  });
  const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), patience));
  return Promise.race([opening, late]);
}

/** Reads a device's text and, when `change` gives one, writes another. Resolves to what was read; to undefined when it fails. */
function transact(
  database: IDBDatabase | undefined,
  mode: IDBTransactionMode,
  device: string,
  change: (text: string | undefined) => string | undefined,
): Promise<string | undefined> {
  if (database === undefined) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    try {
      const transaction = database.transaction(table, mode);
      let text: string | undefined;
      const reading = transaction.objectStore(table).get(device);
      reading.onsuccess = () => {
        text = typeof reading.result === "string" ? reading.result : undefined;
        const changed = change(text);
        if (changed !== undefined) transaction.objectStore(table).put(changed, device);
      };
      transaction.oncomplete = () => resolve(text);
      transaction.onerror = () => resolve(undefined);
      transaction.onabort = () => resolve(undefined);
    } catch {
      resolve(undefined);
    }
  });
}

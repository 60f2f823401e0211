import { ArgumentError } from "@ocelli/core";
import { UsageError } from "./errors.js";

/** What a library makes of a user's flags. @throws UsageError with the library's message where they are out of range */
export function checked<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof ArgumentError) throw new UsageError(error.message);
    throw error;
  }
}

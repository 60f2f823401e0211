import { fetchWeights, WeightsError } from "@ocelli/zoo";
import { afterAll, describe, expect, it } from "vitest";

const url = new URL(import.meta.url).href;

afterAll(() => caches.delete("ocelli-weights"));

describe("fetchWeights in a page", () => {
  it("checks with the browser's own SHA-256, and keeps the file in its cache", async () => {
    const bytes = await (await fetch(url)).arrayBuffer();
    const digits = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const sha256 = Array.from(digits, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const wrong = await fetchWeights({ url, sha256: "0".repeat(64) }).catch((error: unknown) => error);
    expect(wrong).toBeInstanceOf(WeightsError);
    const fetched = await fetchWeights({ url, sha256 });
    expect([fetched.sha256, fetched.bytes.length]).toEqual([sha256, bytes.byteLength]);
    const offline = () => Promise.reject(new TypeError("Failed to fetch"));
    expect(await fetchWeights({ url, sha256: sha256.slice(0, 8) }, { fetch: offline })).toEqual({
      ...fetched,
      comparedDigits: 8,
    });
    await caches.delete("ocelli-weights");
    await expect(fetchWeights({ url, sha256 }, { fetch: offline })).rejects.toThrow("fetchWeights: Failed to fetch");
  });
});

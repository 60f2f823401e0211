import { useEffect, useRef } from "preact/hooks";

/** Calls at Escape, as long as what asks is there. */
export function useEscape(act: () => void): void {
  const newest = useRef(act);
  newest.current = act;
  useEffect(() => {
    const onKey = ({ key }: KeyboardEvent): void => {
      if (key === "Escape") newest.current();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
}

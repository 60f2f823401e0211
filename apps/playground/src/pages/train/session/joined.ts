/** What a run that went back to its checkpoint does again replaces what it did before. */
export function joined<Point extends { readonly step: number }>(
  before: readonly Point[],
  added: readonly Point[],
): readonly Point[] {
  const [first] = added;
  return first === undefined ? before : [...before.filter(({ step }) => step < first.step), ...added];
}

import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { numbered } from "../../../model/card.js";
import { knownClasses } from "../../../store/class-sets.js";
import { Field, Select } from "../../../ui/index.js";

/** Undefined as long as something is missing. */
export interface Names {
  readonly classes: readonly string[] | undefined;
}

type Set = "numbered" | "own" | "imagenet" | "cifar10" | "digits";

interface ClassNamesProps {
  readonly count: number;
  readonly onChange: (names: Names) => void;
}

/** What the outputs are called, in order. */
export const ClassNames: FunctionComponent<ClassNamesProps> = ({ count, onChange }) => {
  const [set, setSet] = useState<Set>(count === 1000 ? "imagenet" : "numbered");
  const [text, setText] = useState("");
  const own = text.split("\n").flatMap((line) => line.trim() || []);
  useEffect(() => {
    let current = true;
    void namesOf(set, count, own).then((classes) => {
      if (current) onChange({ classes });
    });
    return () => {
      current = false;
    };
  }, [set, count, text]);
  return (
    <>
      <Select label="Classes" value={set} choices={setsOf(count)} onChange={setSet} />
      {set === "own" ? (
        <Field
          label="Names, one a line"
          hint={`${own.length} of ${count}`}
          error={own.length > count ? `${own.length} names; the network has ${count} classes` : undefined}
        >
          {(ids) => (
            <textarea {...ids} rows={5} value={text} onInput={({ currentTarget }) => setText(currentTarget.value)} />
          )}
        </Field>
      ) : null}
    </>
  );
};

const setsOf = (count: number): { readonly value: Set; readonly label: string }[] => [
  { value: "numbered", label: `Numbered, 0 to ${count - 1}` },
  ...(count === 1000 ? [{ value: "imagenet" as const, label: "ImageNet's" }] : []),
  ...(count === 10 ? [{ value: "cifar10" as const, label: "CIFAR-10's" }] : []),
  { value: "own", label: "Names of my own" },
];

async function namesOf(set: Set, count: number, own: readonly string[]): Promise<readonly string[] | undefined> {
  const names = set === "own" ? own : set === "numbered" ? numbered(count) : await knownClasses(set);
  return names.length === count ? names : undefined;
}

import { droppedFiles } from "@ocelli/training/web";
import type { FunctionComponent } from "preact";
import { FileDrop } from "../../../ui/index.js";
import { useAdding } from "./adding.js";
import { AddingState } from "./adding-state.js";
import { locatedFiles } from "./located.js";

/** MNIST and its kin, from the files that their authors publish. */
export const StandardFiles: FunctionComponent = () => {
  const { adding, add } = useAdding();
  return (
    <div class="stack">
      <p class="small">
        MNIST, Fashion-MNIST, CIFAR-10 or CIFAR-100: the files as they are published, packed or not. They stay on this
        machine.
      </p>
      <FileDrop
        label="Choose the files, or drop them here"
        multiple
        onFiles={(files) => void add({ files: locatedFiles(files), kind: "standard" })}
        onDrop={(data) => void droppedFiles(data).then((files) => add({ files, kind: "standard" }))}
      >
        such as train-images-idx3-ubyte.gz and its labels, or cifar-10-binary.tar.gz
      </FileDrop>
      <AddingState {...{ adding, add }} />
    </div>
  );
};

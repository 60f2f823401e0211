import "./file-drop.css";
import { Upload } from "lucide-preact";
import type { ComponentChildren, FunctionComponent } from "preact";
import { useId, useRef, useState } from "preact/hooks";

interface FileDropProps {
  readonly label: string;
  readonly children?: ComponentChildren | undefined;
  /** As of `<input accept>`. */
  readonly accept?: string | undefined;
  readonly multiple?: boolean | undefined;
  /** A whole folder is chosen instead of files. */
  readonly folder?: boolean | undefined;
  /** What was dropped as it came: for folders, see `droppedFiles` of @ocelli/training/web. Without it, the files of the drop are taken. */
  readonly onDrop?: ((data: DataTransfer) => void) | undefined;
  readonly onFiles: (files: readonly File[]) => void;
}

/** Files by a click, by the keyboard, or dropped on it. */
export const FileDrop: FunctionComponent<FileDropProps> = ({
  label,
  children,
  accept,
  multiple,
  folder,
  onDrop,
  onFiles,
}) => {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    if (event.dataTransfer === null) return;
    if (onDrop !== undefined) onDrop(event.dataTransfer);
    else if (event.dataTransfer.files.length > 0) onFiles([...event.dataTransfer.files]);
  };
  return (
    <label
      for={id}
      class={`file-drop ${over ? "over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={({ currentTarget, relatedTarget }) => {
        if (!currentTarget.contains(relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={drop}
    >
      <input
        id={id}
        ref={input}
        class="visually-hidden"
        type="file"
        accept={accept}
        multiple={multiple === true || folder === true}
        {...(folder === true && { webkitdirectory: true })}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])];
          // The same file may be chosen again.
          currentTarget.value = "";
          if (files.length > 0) onFiles(files);
        }}
      />
      <Upload size={20} aria-hidden="true" />
      <span>
        <strong>{label}</strong>
        {children === undefined ? null : <span class="quiet small">{children}</span>}
      </span>
    </label>
  );
};

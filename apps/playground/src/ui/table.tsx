import "./table.css";
import type { ComponentChildren } from "preact";

export interface Column<Row> {
  readonly title: string;
  /** Explains the column to those who point at it. */
  readonly hint?: string | undefined;
  readonly cell: (row: Row) => ComponentChildren;
  /** Numbers stand on the right. */
  readonly number?: boolean | undefined;
}

interface TableProps<Row> {
  /** What the table shows, for those who listen. */
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row, index: number) => string;
  /** The row that is chosen, and what to do when another one is pointed at or chosen. */
  readonly chosen?: string | undefined;
  readonly onPoint?: ((row: Row | undefined) => void) | undefined;
  readonly onChoose?: ((row: Row) => void) | undefined;
  readonly footer?: ComponentChildren | undefined;
}

/** A table that scrolls sideways where it must; its first column names the row. */
export function Table<Row>({ caption, columns, rows, keyOf, chosen, onPoint, onChoose, footer }: TableProps<Row>) {
  const [first, ...others] = columns as [Column<Row>, ...Column<Row>[]];
  return (
    <section class="table" aria-label={caption} {...{ tabIndex: 0 }}>
      <table>
        <thead>
          <tr>
            {columns.map(({ title, hint, number }) => (
              <th key={title} scope="col" class={number ? "number" : undefined} title={hint}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody onPointerLeave={() => onPoint?.(undefined)}>
          {rows.map((row, i) => {
            const key = keyOf(row, i);
            const name = first.cell(row);
            return (
              <tr key={key} class={key === chosen ? "chosen" : undefined} onPointerEnter={() => onPoint?.(row)}>
                <th scope="row">
                  {onChoose === undefined ? (
                    name
                  ) : (
                    <button
                      type="button"
                      aria-pressed={key === chosen}
                      onClick={() => onChoose(row)}
                      onFocus={() => onPoint?.(row)}
                    >
                      {name}
                    </button>
                  )}
                </th>
                {others.map(({ title, cell, number }) => (
                  <td key={title} class={number ? "number" : undefined}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
        {footer === undefined ? null : <tfoot>{footer}</tfoot>}
      </table>
    </section>
  );
}

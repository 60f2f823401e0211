import "./table.css";
import { Component, type ComponentChildren, Fragment } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { piecesOf, useGradually } from "./gradually.js";

export interface Column<Row> {
  readonly title: string;
  /** Explains the column to those who point at it. */
  readonly hint?: string | undefined;
  /** Depends on the row alone, and on signals within components of its own. */
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

/** Rows that are laid out at once without anybody waiting. */
const piece = 30;

/** A table that scrolls sideways where it must; its first column names the row. A long one comes piece by piece. */
export function Table<Row>({ caption, columns, rows, keyOf, chosen, onPoint, onChoose, footer }: TableProps<Row>) {
  const heard = useRef({ onPoint, onChoose });
  heard.current = { onPoint, onChoose };
  const pieces = useGradually(useMemo(() => piecesOf(rows, piece), [rows]));
  const choosable = onChoose !== undefined;
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
          {pieces.map((some, at) => (
            <Fragment key={at}>
              {some.map((row, i) => {
                const key = keyOf(row, at * piece + i);
                return <TableRow key={key} {...{ row, columns, choosable, heard }} chosen={key === chosen} />;
              })}
            </Fragment>
          ))}
        </tbody>
        {footer === undefined ? null : <tfoot>{footer}</tfoot>}
      </table>
    </section>
  );
}

interface RowProps<Row> {
  readonly row: Row;
  readonly columns: readonly Column<Row>[];
  readonly chosen: boolean;
  readonly choosable: boolean;
  /** Who listens now. */
  readonly heard: { readonly current: Pick<TableProps<Row>, "onPoint" | "onChoose"> };
}

/** Drawn anew only when it is another row, or looks otherwise. */
class TableRow<Row> extends Component<RowProps<Row>> {
  override shouldComponentUpdate({ row, columns, chosen, choosable }: RowProps<Row>): boolean {
    const now = this.props;
    return row !== now.row || columns !== now.columns || chosen !== now.chosen || choosable !== now.choosable;
  }

  override render({ row, columns, chosen, choosable, heard }: RowProps<Row>): ComponentChildren {
    const [first, ...others] = columns as [Column<Row>, ...Column<Row>[]];
    const name = first.cell(row);
    const point = (): void => heard.current.onPoint?.(row);
    return (
      <tr class={chosen ? "chosen" : undefined} onPointerEnter={point}>
        <th scope="row">
          {choosable ? (
            <button type="button" aria-pressed={chosen} onClick={() => heard.current.onChoose?.(row)} onFocus={point}>
              {name}
            </button>
          ) : (
            name
          )}
        </th>
        {others.map(({ title, cell, number }) => (
          <td key={title} class={number ? "number" : undefined}>
            {cell(row)}
          </td>
        ))}
      </tr>
    );
  }
}

import {
  inputReceptiveField,
  type Node,
  type ReceptiveField,
  receptiveField,
  type Tensor,
  topologicalOrder,
} from "@ocelli/core";

/** What one pixel of a feature map sees of the input, vertically and horizontally. */
export interface ReceptiveField2d {
  readonly vertical: ReceptiveField;
  readonly horizontal: ReceptiveField;
}

/**
 * Receptive fields of every tensor between `input` (`[N, C, H, W]`) and `outputs`. What is no feature map (four dimensions) and what does
 * not depend on the input has none. Where paths meet, the largest field counts.
 */
export function receptiveFields(outputs: readonly Tensor[], input: Tensor): Map<Tensor, ReceptiveField2d> {
  const fields = new Map<Tensor, ReceptiveField2d>([
    [input, { vertical: inputReceptiveField, horizontal: inputReceptiveField }],
  ]);
  for (const node of topologicalOrder(outputs)) {
    const field = fieldAfter(node, fields);
    if (field === undefined) continue;
    for (const output of node.outputs) if (output.shape.length === 4) fields.set(output, field);
  }
  return fields;
}

function fieldAfter(node: Node, fields: ReadonlyMap<Tensor, ReceptiveField2d>): ReceptiveField2d | undefined {
  const [first, ...rest] = node.inputs.flatMap((input) => fields.get(input) ?? []);
  if (first === undefined) return undefined;
  const { op, inputs, attrs } = node;
  if (op.window === undefined) {
    return rest.reduce(
      (a, b) => ({ vertical: larger(a.vertical, b.vertical), horizontal: larger(a.horizontal, b.horizontal) }),
      first,
    );
  }
  const { kernel, stride, before, dilation } = op.window(inputs, attrs);
  const along = (field: ReceptiveField, axis: 0 | 1): ReceptiveField =>
    receptiveField(field, {
      kernel: kernel[axis],
      stride: stride[axis],
      before: before[axis],
      dilation: dilation[axis],
    });
  return { vertical: along(first.vertical, 0), horizontal: along(first.horizontal, 1) };
}

const larger = (a: ReceptiveField, b: ReceptiveField): ReceptiveField => (b.size > a.size ? b : a);

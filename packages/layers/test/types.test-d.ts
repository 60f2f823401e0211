import { input, relu, type Tensor } from "@ocelli/core";
import {
  type AnyModule,
  type Context,
  Conv2d,
  type Layer,
  Linear,
  Module,
  modelProgram,
  Sequential,
  traceModule,
} from "@ocelli/layers";
import { describe, expectTypeOf, it } from "vitest";

class Two extends Module<{ image: Tensor; mask: Tensor }, { logits: Tensor; aux: Tensor }> {
  readonly fc = new Linear(1, 1);
  override forward(x: { image: Tensor; mask: Tensor }, ctx: Context) {
    return { logits: ctx.call(this.fc, x.image), aux: x.mask };
  }
}

declare const ctx: Context;
declare const x: Tensor;

describe("types", () => {
  it("a module takes and returns tensors unless it says otherwise", () => {
    expectTypeOf<Linear>().toExtend<Module<Tensor, Tensor>>();
    expectTypeOf<Two>().toExtend<AnyModule>();
    expectTypeOf<Two>().not.toExtend<Module>();
  });

  it("ctx.call checks the input and gives the output's type", () => {
    expectTypeOf(ctx.call(new Linear(1, 1), x)).toEqualTypeOf<Tensor>();
    expectTypeOf(ctx.call(new Two(), { image: x, mask: x })).toEqualTypeOf<{ logits: Tensor; aux: Tensor }>();
    // @ts-expect-error a tensor, where the module takes a record
    ctx.call(new Two(), x);
    // @ts-expect-error a record, where the module takes a tensor
    ctx.call(new Linear(1, 1), { image: x });
    // @ts-expect-error a function is no module
    ctx.call(relu, x);
  });

  it("chains and Sequential take modules of tensors and functions of tensors", () => {
    expectTypeOf(ctx.chain(x, new Linear(1, 1), relu)).toEqualTypeOf<Tensor>();
    expectTypeOf(new Sequential(new Linear(1, 1), relu, (t) => t)).toEqualTypeOf<Sequential>();
    expectTypeOf(new Sequential({ fc: new Linear(1, 1), relu })[0]).toEqualTypeOf<Layer | undefined>();
    // @ts-expect-error takes a record
    new Sequential(new Two());
    // @ts-expect-error returns a number
    ctx.chain(x, (t: Tensor) => t.shape.length);
  });

  it("trace and program know a model's input and output", () => {
    expectTypeOf(traceModule(new Two(), { image: x, mask: x }).output.aux).toEqualTypeOf<Tensor>();
    // @ts-expect-error a tensor, where the model takes a record
    traceModule(new Two(), input("x", { shape: [1], dtype: "float32" }));
    // @ts-expect-error the transform has to give what the model takes
    modelProgram(new Two(), { shape: [1], dtype: "float32" }, { transform: ({ input }) => input! });
  });

  it("options are checked", () => {
    // @ts-expect-error no kernelSize
    new Conv2d(1, 1, {});
    // @ts-expect-error no such word
    new Conv2d(1, 1, { kernelSize: 1, padding: "full" });
  });
});

import { add, cos, mul, sub, type Tensor } from "@ocelli/core";
import type { Surface } from "./surfaces.js";

const square = (x: Tensor): Tensor => mul(x, x);

/** One of Beale's three terms: `(offset - x + x y^power)^2`. */
const beale = (x: Tensor, yToPower: Tensor, offset: number): Tensor => square(add(sub(offset, x), mul(x, yToPower)));

/** The loss, element by element: of one point, whose gradient is followed, or of all points of a map. */
export const heights: Readonly<Record<Surface["name"], (x: Tensor, y: Tensor) => Tensor>> = {
  ravine: (x, y) => add(mul(square(x), 0.5), mul(square(y), 25)),
  rosenbrock: (x, y) => add(square(sub(1, x)), mul(square(sub(y, square(x))), 100)),
  beale: (x, y) => add(add(beale(x, y, 1.5), beale(x, square(y), 2.25)), beale(x, mul(square(y), y), 2.625)),
  himmelblau: (x, y) => add(square(sub(add(square(x), y), 11)), square(sub(add(x, square(y)), 7))),
  // Its two minima are 0 high, as those of the others.
  saddle: (x, y) => add(square(x), square(sub(mul(square(y), 0.5), 1))),
  waves: (x, y) => {
    const ripples = sub(2, add(cos(mul(x, Math.PI)), cos(mul(y, Math.PI))));
    return add(add(square(x), square(y)), mul(ripples, 2));
  },
};

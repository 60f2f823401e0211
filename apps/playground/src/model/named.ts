import type { Named } from "@ocelli/training";

/** A part of training without its functions: what files, links and workers hold. */
export const asData = ({ name, options }: Named): Named => ({ name, options });

import { Command } from "commander";
import { addInspection } from "./cli/inspection.js";
import { addTraining } from "./cli/training.js";
import { addUse } from "./cli/use.js";
import { report } from "./errors.js";
import type { Io } from "./io.js";
import { ocelliVersion } from "./versions.js";

// Commands are imported when they run: `ocelli --help` loads neither a runtime nor an image library.

/** Runs the command line and returns the exit code: 0, 1 for failures, 2 for wrong usage, 130 after Ctrl-C. */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  try {
    const program = makeProgram(io);
    // Without a command: the help, which is no mistake.
    if (argv.length === 0) program.outputHelp();
    else await program.parseAsync([...argv], { from: "user" });
    return 0;
  } catch (error) {
    return report(error, io);
  }
}

function makeProgram(io: Io): Command {
  const program = new Command("ocelli")
    .description("Train, evaluate, inspect and convert convolutional networks.")
    .version(ocelliVersion())
    .exitOverride()
    .configureOutput({ writeOut: (text) => io.stdout.write(text), writeErr: (text) => io.stderr.write(text) })
    .showHelpAfterError("(--help shows what there is)")
    .enablePositionalOptions()
    .addHelpText("after", () => `\nTry it: ${io.command} demo\n`);
  addInspection(program, io);
  addTraining(program, io);
  addUse(program, io);
  return program;
}

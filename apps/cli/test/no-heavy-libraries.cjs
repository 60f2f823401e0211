// Preloaded by a test: fails the process when it has loaded a runtime or the image library, which help and lists need not.
process.on("exit", () => {
  const heavy = process.report.getReport().sharedObjects.filter((file) => /onnxruntime|sharp|vips/.test(file));
  if (heavy.length === 0) return;
  process.stderr.write(`loaded: ${heavy.join(", ")}\n`);
  process.exitCode = 99;
});

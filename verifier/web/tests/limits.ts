/** How long a property is tried: so many times, or for ESC_FUZZ_SECONDS. */
export function limits(numRuns: number): object {
  const seconds = Number(process.env["ESC_FUZZ_SECONDS"] ?? "0");
  const untilThen = { numRuns: 1e9, interruptAfterTimeLimit: seconds * 1000, markInterruptAsFailure: false };
  return seconds > 0 ? untilThen : { numRuns };
}

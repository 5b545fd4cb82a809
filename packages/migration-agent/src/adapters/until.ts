const LOOK_EVERY_MS = 5;

/** Looks until `holds` or `gone`. For signs that nothing announces; only while a program starts. @throws Error that says what is missing. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  gone: AbortSignal,
  missing: string,
): Promise<void> {
  while (!(await holds())) {
    if (gone.aborted) throw new Error(missing);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  if (gone.aborted) throw new Error(missing);
}

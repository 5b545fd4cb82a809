const LOOK_EVERY_MS = 5;

/** Looks until `holds` or `gone`. For signs that nothing announces; only while a program starts. @throws Error with `otherwise`. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  gone: AbortSignal,
  otherwise: string,
): Promise<void> {
  while (!(await holds())) {
    if (gone.aborted) throw new Error(otherwise);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  if (gone.aborted) throw new Error(otherwise);
}

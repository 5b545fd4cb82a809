/**
 * Every `code` of the errors that this package throws, and what it means. Codes are stable API; each error also carries a
 * `hint` that says what to do and `retry`, which is `never` for all of them: they are about what was given, not about the
 * moment.
 */
export const ERROR_CODES = {
  SIDECARSET_UNREADABLE: 'An object is no SidecarSet: a field has another type than the API says.',
  CONVERSION_UNSUPPORTED: 'A SidecarSet was to be converted from or to a version that is not served.',
  QUANTITY_INVALID: 'A resource quantity cannot be read.',
  REGEXP_INVALID: 'A regular expression is not one of Go’s syntax.',
  RESOURCE_EXPRESSION_INVALID: 'An expression of resourcesPolicy cannot be read or computed.',
  REVISION_DATA_INVALID: 'A ControllerRevision does not record the spec of a SidecarSet.',
  INJECTION_REFUSED: 'A pod cannot be injected as its SidecarSets demand, and must not be created.',
} as const satisfies Record<string, string>;

/** Every value that `code` of a {@link SidestepError} from this package can have; its meaning is in {@link ERROR_CODES}. */
export type ErrorCode = keyof typeof ERROR_CODES;

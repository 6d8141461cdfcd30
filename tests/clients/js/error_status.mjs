// The HTTP status that PostgREST gives an error code of Postgres, as its documentation lists them; the first match holds.
const STATUS = [
  [/^P0001$/, 400],
  [/^(23503|23505)$/, 409],
  [/^25006$/, 405],
  [/^53400$/, 500],
  [/^(08|53)/, 503],
  [/^(0L|0P|28)/, 403],
  [/^(09|25|2D|38|39|3B|40|54|55|57|58|F0|HV|P0|XX)/, 500],
];

// Undefined for what is no code of Postgres, and for the codes that the server answers as PostgREST does.
export function statusOf(code) {
  if (!/^[0-9A-Z]{5}$/.test(code ?? "") || /^(PGRST|PT|42|22|21|23502)/.test(code)) return undefined;
  return STATUS.find(([pattern]) => pattern.test(code))?.[1] ?? 400;
}

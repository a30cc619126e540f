// Calendar months (UTC), written "2026-10".

export const isMonth = (text: string): boolean => /^(19[7-9]\d|[2-8]\d{3})-(0[1-9]|1[0-2])$/.test(text);

/** So many months later, or before. */
export function plus(month: string, months: number): string {
  const at = new Date(`${month}-01T00:00:00Z`);
  at.setUTCMonth(at.getUTCMonth() + months);
  return at.toISOString().slice(0, 7);
}

const dayBefore = (day: string): string => new Date(Date.parse(day) - 86_400_000).toISOString().slice(0, 10);

/** The last day of a month. */
export const lastDay = (month: string): string => dayBefore(`${plus(month, 1)}-01`);

export const monthOf = (day: string): string => day.slice(0, 7);

/** The last month of which all days are closed, if days are closed up to this one. */
export function lastFinal(closed: string): string {
  const month = monthOf(closed);
  return lastDay(month) === closed ? month : plus(month, -1);
}

/** The last month of the year that is shown: the latest one, unless the chosen one is longer ago. */
export function yearEnd(chosen: string, closed: string): string {
  const latest = monthOf(closed);
  return chosen > plus(latest, -12) ? latest : chosen;
}

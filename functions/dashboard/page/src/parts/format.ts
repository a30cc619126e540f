// Numbers and times as text. All times are in UTC, except `localTime`.

const counts = new Intl.NumberFormat("en-US");
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const dayAndMonth = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const fullDay = new Intl.DateTimeFormat("en-GB", {
  weekday: "short",
  day: "numeric",
  month: "short",
  year: "numeric",
  timeZone: "UTC",
});
const monthAlone = new Intl.DateTimeFormat("en-US", { month: "short", timeZone: "UTC" });
const fullMonth = new Intl.DateTimeFormat("en-GB", { month: "long", year: "numeric", timeZone: "UTC" });
const local = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

export const count = (value: number): string => counts.format(value);

export const short = (value: number): string => compact.format(value);

export const percent = (value: number): string => `${value.toFixed(1)}%`;

/** "+3.4 pp": a difference of two shares, in percentage points. */
export function points(value: number): string {
  const text = Math.abs(value).toFixed(1);
  return `${text === "0.0" ? "±" : value > 0 ? "+" : "−"}${text} pp`;
}

export const plural = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** "2026-11-21 08:30:12", of an instant. */
export const moment = (instant: string): string => new Date(instant).toISOString().slice(0, 19).replace("T", " ");

/** "2026-11-21 08:30", of an instant. */
export const minute = (instant: string): string => moment(instant).slice(0, 16);

/** "08:30:12", of an instant. */
export const timeOfDay = (instant: string | number): string => new Date(instant).toISOString().slice(11, 19);

/** "Saturday 21 November 2026 at 09:30:12 CET": an instant in the reader's time zone. */
export const localTime = (instant: string | number): string => local.format(new Date(instant));

/** "Fri, 20 Nov 2026", of a UTC day. */
export const dayName = (day: string): string => fullDay.format(new Date(day));

/** "October 2026", of a month as "2026-10". */
export const monthName = (month: string): string => fullMonth.format(new Date(`${month}-01`));

/** How sure it is that a company is this one, by confidence. */
export const CONFIDENCE = ["", "perhaps", "likely", "certain"];

/** "20–21 Nov" of a window of whole UTC days, "20 Nov 09:00 – 21 Nov 09:00" of another one; its end is not in it. */
export function windowText({ from, to }: { from: string; to: string }): string {
  const [since, until] = [new Date(from), new Date(to)];
  if (since.getTime() % 86_400_000 || until.getTime() % 86_400_000) {
    return [since, until].map((at) => `${dayAndMonth.format(at)} ${at.toISOString().slice(11, 16)}`).join(" – ");
  }
  return dayAndMonth.formatRange(since, new Date(until.getTime() - 1));
}

/** "20–21 Nov, whole UTC days". */
export const wholeDays = (window: { from: string; to: string }): string => `${windowText(window)}, whole UTC days`;

/** "21 Nov", of seconds since the epoch. */
export const axisDay = (seconds: number): string => dayAndMonth.format(seconds * 1000);

/** "08:00", or "21 Nov" at midnight, of seconds since the epoch. */
export const axisHour = (seconds: number): string =>
  seconds % 86_400 === 0 ? axisDay(seconds) : new Date(seconds * 1000).toISOString().slice(11, 16);

/** "Oct", of seconds since the epoch; "2026" in January. */
export function axisMonth(seconds: number): string {
  const at = new Date(seconds * 1000);
  return at.getUTCMonth() === 0 ? String(at.getUTCFullYear()) : monthAlone.format(at);
}

/** "Sat, 21 Nov 2026", with "08:00–09:00 UTC" for an hour; "November 2026". */
export function bucketName(start: string, bucket: "hour" | "day" | "month"): string {
  if (bucket === "month") return monthName(start.slice(0, 7));
  const day = fullDay.format(new Date(start));
  if (bucket === "day") return day;
  const end = new Date(Date.parse(start) + 3_600_000).toISOString().slice(11, 16);
  return `${day}, ${start.slice(11, 16)}–${end} UTC`;
}

export function bytes(value: number): string {
  if (value < 1024) return `${value} B`;
  return value < 1024 * 1024 ? `${(value / 1024).toFixed(1)} KB` : `${(value / 1024 / 1024).toFixed(1)} MB`;
}

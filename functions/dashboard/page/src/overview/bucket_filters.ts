// To the records of a bar.

/** Filters of the records of an hour or a UTC day, by its beginning. */
export function bucketFilters(bucket: "hour" | "day", start: string): Record<string, string> {
  if (bucket === "day") return { range: "", from: start.slice(0, 10), to: start.slice(0, 10) };
  return { range: "", from: start, to: new Date(Date.parse(start) + 3_600_000).toISOString() };
}

// A licence key must not stay in the address: histories and logs keep it. What is typed there by hand is taken out.

const LICENSE_ID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;
/** What stands for a key that nobody issued. */
const KEY_NAME = /^1[\w-]{21}[AQgw]$/;

let taken = "";

export const isLicenseId = (text: string): boolean => LICENSE_ID.test(text) || KEY_NAME.test(text);

/** Takes what is no licence's id out of the address, before anything is asked for. */
export function keepKeyOutOfAddress(): void {
  const params = new URLSearchParams(location.search);
  const wrong = ["license_id", "license"].filter((name) => {
    const text = params.get(name) ?? "";
    return text !== "" && !isLicenseId(text);
  });
  if (wrong.length === 0) return;
  if (wrong.includes("license_id")) taken = (params.get("license_id") ?? "").trim();
  for (const name of wrong) params.delete(name);
  const search = params.toString();
  history.replaceState(history.state, "", location.pathname + (search ? `?${search}` : "") + location.hash);
}

/** What was taken out of the filters, once: whoever gets it looks for it. */
export function takenFromAddress(): string {
  const text = taken;
  taken = "";
  return text;
}

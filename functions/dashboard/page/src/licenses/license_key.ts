// Licence keys made here: one that was sent, and of which nobody knows whether it came through, can be sent again.

const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"; // as the service has it; no I, O, 0, 1
const GROUPS = 5;
const GROUP_LENGTH = 5;

/** `7KQ2M-X9FHT-…`: 125 bits. */
export function newLicenseKey(): string {
  const random = crypto.getRandomValues(new Uint8Array(GROUPS * GROUP_LENGTH));
  const letters = [...random].map((byte) => ALPHABET[byte % ALPHABET.length]).join("");
  return Array.from({ length: GROUPS }, (_, group) =>
    letters.slice(group * GROUP_LENGTH, (group + 1) * GROUP_LENGTH),
  ).join("-");
}

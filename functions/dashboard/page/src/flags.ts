// What flags are called. Those the page does not know yet are shown as they are.

export type FlagClass = "piracy" | "license" | "quality";

const NAMES = new Map<string, readonly [string, FlagClass]>([
  ["INVALID_LICENSE", ["Invalid licence", "piracy"]],
  ["BYPASSED_ACTIVATION", ["Bypassed activation", "piracy"]],
  ["REVOKED_LICENSE", ["Revoked licence", "piracy"]],
  ["ENVIRONMENT_MISMATCH", ["Environment mismatch", "piracy"]],
  ["EXPIRED_LICENSE", ["Expired licence", "license"]],
  ["SUSPENDED_LICENSE", ["Suspended licence", "license"]],
  ["UNASSIGNED_LICENSE", ["Unassigned licence", "license"]],
  ["PRODUCT_MISMATCH", ["Product mismatch", "license"]],
  ["MALFORMED", ["Malformed", "quality"]],
  ["UNKNOWN_PRODUCT", ["Unknown product", "quality"]],
  ["UNKNOWN_ACTIVITY_TYPE", ["Unknown activity type", "quality"]],
  ["ENVIRONMENT_TEXT_CONFLICT", ["Environment text conflict", "quality"]],
  ["CLOCK_SKEW", ["Clock skew", "quality"]],
  ["EVENT_ID_CONFLICT", ["Event id conflict", "quality"]],
  ["CLIENT_REPORTED", ["Client reported", "quality"]],
  ["PLACEHOLDER_ID", ["Placeholder id", "quality"]],
]);

export const FLAGS = [...NAMES.keys()];

export const flagName = (flag: string): string => NAMES.get(flag)?.[0] ?? flag;

export const flagClass = (flag: string): FlagClass => NAMES.get(flag)?.[1] ?? "quality";

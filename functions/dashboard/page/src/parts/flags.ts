// What flags are called. Those the page does not know yet are shown as they are.

import { FLAG_NAMES, type FlagClass } from "../types";

export const FLAGS = [...FLAG_NAMES.keys()];

export const flagName = (flag: string): string => FLAG_NAMES.get(flag)?.[0] ?? flag;

export const flagClass = (flag: string): FlagClass => FLAG_NAMES.get(flag)?.[1] ?? "quality";

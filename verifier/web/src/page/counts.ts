/** How many were accepted and refused, by day and service: numbers only, nothing of a card or person. */

import type { Database } from "./database.ts";
import { outcomeOf, type Answer } from "./desk.ts";

const NAME = "counts";
const KEPT_DAYS = 31;

/** Counts by "day,service,outcome,refusal". */
type Counts = Readonly<Record<string, number>>;

/** The day of an instant on this device's calendar. */
export function dayOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 10);
}

export async function countAnswer(database: Database, answer: Answer, service: string): Promise<void> {
  const oldest = dayOf(answer.checkedAt - KEPT_DAYS * 86_400);
  const refusal = answer.card === null ? (answer.refusal?.refusal ?? "NotDecided") : "";
  const key = [dayOf(answer.checkedAt), service, outcomeOf(answer), refusal].join(",");
  await database.change<Counts>(NAME, (before = {}) => {
    const kept = Object.entries(before).filter(([one]) => one.slice(0, 10) > oldest);
    return { ...Object.fromEntries(kept), [key]: (before[key] ?? 0) + 1 };
  });
}

/** The counts of a day by outcome. */
export async function countsOf(database: Database, day: string): Promise<Record<string, number>> {
  const sums: Record<string, number> = { valid: 0, warned: 0, refused: 0 };
  for (const [key, count] of Object.entries((await database.get<Counts>(NAME)) ?? {})) {
    const [of, , outcome = ""] = key.split(",");
    if (of === day) sums[outcome] = (sums[outcome] ?? 0) + count;
  }
  return sums;
}

/** All counts as a CSV file (RFC 4180). */
export async function countsAsCsv(database: Database): Promise<string> {
  const counts = Object.entries((await database.get<Counts>(NAME)) ?? {}).sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  return ["day,service,outcome,refusal,count", ...counts.map(([key, count]) => `${key},${count}`), ""].join(
    "\r\n",
  );
}

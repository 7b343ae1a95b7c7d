import { resolve } from "@/time/range";

/** ReadFrom is where reading begins, as the URL has it. */
export type ReadFrom = "last" | "earliest" | "offset" | "time";

export const FROMS: ReadFrom[] = ["last", "earliest", "offset", "time"];

/** LASTS are how many of the last messages one may ask for. */
export const LASTS = ["50", "200", "1000", "5000"];

/** Place is where to read: partition, start and filter. */
export interface Place {
  partition: string;
  from: ReadFrom;
  last: string;
  offset: string;
  time: string;
  contains: string;
}

type Query = {
  partition?: number;
  contains?: string;
  "start.last"?: string;
  "start.earliest"?: boolean;
  "start.offset"?: string;
  "start.timestamp"?: string;
};

export type Problem = "offset-needs-partition" | "no-time";

/** queryOf is what to ask the API for a place, or what is wrong with it. */
export function queryOf(place: Place): Query | Problem {
  const query: Query = {};
  if (place.partition !== "") query.partition = Number(place.partition);
  if (place.contains) query.contains = place.contains;
  switch (place.from) {
    case "last":
      query["start.last"] = place.last;
      break;
    case "earliest":
      query["start.earliest"] = true;
      break;
    case "offset":
      if (place.partition === "") return "offset-needs-partition";
      query["start.offset"] = /^\d+$/.test(place.offset) ? place.offset : "0";
      break;
    case "time": {
      const at = resolve(place.time.trim(), new Date());
      if (!at) return "no-time";
      query["start.timestamp"] = at.toISOString();
    }
  }
  return query;
}

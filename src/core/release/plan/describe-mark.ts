import { renderCondition } from "../../routes/match-request.ts";
import type { RequestMark } from "../../routes/route-addition.ts";

/** `header x-staff exactly "1" and cookie beta present`. */
export function describeMark({ headers, cookies, query }: RequestMark): string {
  return [
    ...Object.entries(headers).map(([name, value]) => `header ${name} ${renderCondition(value)}`),
    ...Object.entries(cookies).map(([name, value]) => `cookie ${name} ${renderCondition(value)}`),
    ...Object.entries(query).map(([name, value]) => `query parameter ${name} ${renderCondition(value)}`),
  ].join(" and ");
}

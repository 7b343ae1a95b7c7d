import { expect, it } from "vitest";
import { lonely } from "./lonely";

it("lonely finds what no line would show", () => {
  expect(lonely([7])).toEqual([0]);
  expect(lonely([1, 2, null, 3, null, 4, 5])).toEqual([3]);
  expect(lonely([1, undefined, 2, null])).toEqual([]);
  expect(lonely([null, 1, undefined, null, undefined, 2])).toEqual([1, 5]);
  expect(lonely([null, undefined])).toEqual([]);
});

import { describe, expect, it } from "vitest";
import { inWords } from "../src/core/comparison";
import { classOf } from "../src/panels/codes";
import { pageOf } from "./known";
import { gridScene, packed } from "./made";

const bytes = (value: unknown) => ({ column: new TextEncoder().encode(JSON.stringify(value)) });
const scene = () => gridScene({ rows: 1, columns: 2, side: 8, source: [0, 0] });

describe("a page about styles", () => {
  const looks = [{ label: 3000 }, { label: 3001 }];
  const kept = packed(
    {},
    {
      looks: bytes(looks),
      "members/4": bytes({ style: 4, members: 2, nearest: [] }),
      "sheet/4": { column: Uint8Array.of(1, 2, 3) },
      "members/5": bytes({ style: 5, members: 0, nearest: [] }),
    },
  );

  it("answers which style each object took", async () => {
    const answer = await pageOf(scene(), kept).ask("styles", { queries: [1] });
    expect(answer.values.looks).toEqual([looks[1]]);
  });

  it("answers who is behind a style, as far as it had room", async () => {
    const answer = await pageOf(scene(), kept).ask("members", { styles: [4, 5, 6] });
    expect((answer.values.members as { style: number }[]).map(({ style }) => style)).toEqual([4, 5]);
    expect([4, 5, 6].map((style) => answer.has(`sheet/${style}`))).toEqual([true, false, false]);
    expect([...answer.column<Uint8Array>("sheet/4")]).toEqual([1, 2, 3]);
  });

  it("answers nothing where nothing was kept, and draws nothing again", async () => {
    const page = pageOf(scene(), packed({}, {}));
    await expect(page.ask("styles", { queries: [0] })).rejects.toThrow();
    expect(page.canTranslate).toBe(false);
  });
});

it("objects of a class are counted in thousands", () => {
  expect([7, 3000, 3001, 26003].map(classOf)).toEqual([7, 3, 3, 26]);
});

it("what a new look changed is told inside and outside of the object", () => {
  expect(inWords({ place: 0, said: "car 1 like car 2", inside: 12.345, outside: 0.5 })).toBe(
    "car 1 like car 2: inside its mask the picture changed by 12.3 levels of 255 on average, outside it by 0.50.",
  );
  expect(inWords({ place: 0, said: "sky", inside: 1, outside: null })).not.toContain("outside");
});

// What a page answers about pictures of sources, from what Python stored (ktviz/widgets/panels/sources.py).

import type { StoredAnswers } from "../core/panel";
import { type Kept, Made } from "../core/stored";

export function storedPictures(kept: Kept): StoredAnswers {
  return {
    pictures: (body) => {
      const names = body.sources.map((source) => `picture/${source}`).filter((name) => kept.has(name));
      return new Made({}, Object.fromEntries(names.map((name) => [name, kept.column(name)])));
    },
  };
}

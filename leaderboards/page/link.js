"use strict";
// What is chosen stands in the address after '#', so that a link shows the same.
const link = {
  now: () => new URLSearchParams(location.hash.slice(1)),
  keep: (changes) => {
    const state = link.now();
    for (const [name, value] of Object.entries(changes)) {
      state.delete(name);
      for (const one of Array.isArray(value) ? value : [value]) if (one !== "" && one !== null) state.append(name, one);
    }
    history.replaceState(null, "", "#" + state.toString());
  },
};

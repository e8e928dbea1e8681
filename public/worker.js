// Wakes the page on time. A browser slows the timers of a page that nobody looks at, but not those
// of a worker. The page posts in how many milliseconds it wants to be woken, which replaces what it
// wanted before, or null to be left alone.
let timer;

onmessage = ({ data }) => {
  clearTimeout(timer);
  if (data !== null) timer = setTimeout(() => postMessage(null), data);
};

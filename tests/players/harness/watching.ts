import { RATE } from "./clip";
import type { State, Viewer } from "./viewer";

/** Seconds of media for which a viewer looks on. */
const LOOK = 3;

/** Of the frames in that time, those that have to be seen on a machine that does other things as well. */
const SEEN = 0.3;

/** For the first frame, in seconds. */
const START = 20;

/** Waits for the picture to move. */
export function started(viewer: Viewer): Promise<State> {
  return viewer.until("a moving picture", START, ({ frames, paused }) => frames > 5 && !paused);
}

/** Sees that it plays on: media time passes about as fast as real time, and its frames are decoded and shown. */
export async function playsOn(viewer: Viewer): Promise<State> {
  const from = await viewer.state();
  const to = await viewer.until(`${LOOK} s of media`, 3 * LOOK, ({ time }) => time >= from.time + LOOK);
  const expected = SEEN * RATE * LOOK;
  if (to.frames - from.frames >= expected) return to;
  throw new Error(
    `${to.frames - from.frames} frames in ${LOOK} s, where at least ${expected} are due\n${await viewer.report()}`,
  );
}

/** Sees a picture that is the test picture rather than any plain colour, and that changes while media time passes. */
export async function showsMotion(viewer: Viewer): Promise<void> {
  const name = viewer.player.name.replaceAll(" ", "-");
  const before = await viewer.picture(`${name}-1`);
  const { time } = await viewer.state();
  await viewer.until("another second", 10, (state) => state.time >= time + 1);
  const after = await viewer.picture(`${name}-2`);
  const [contrast, change] = [before.contrast, after.differs(before)];
  if (contrast > 40 && change > 0.01) return;
  throw new Error(`${name}: contrast ${contrast.toFixed(1)}, ${(100 * change).toFixed(2)} % changed`);
}

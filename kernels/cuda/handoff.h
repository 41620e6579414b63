/* What groups of one launch hand to one another, with waits that end. A kernel whose groups wait for each other is
 * launched cooperatively, so that all of them run; if one still does not come, its peers would wait for ever and the
 * device with them. So every wait asks a watch whether to look once more.
 *
 *   watch[0]   what went wrong: 0 for nothing, else as written by give_up; io.unroll.device.cuda.SpinWatch reads it
 *   watch[1]   nanoseconds that a wait may last
 *
 * A function that returns false has given up. Its group then ends, all lanes of it, and so does every other group,
 * because each looks at the watch while it waits: what they have written is worth nothing.
 */
#ifndef UNROLL_CUDA_HANDOFF_H
#define UNROLL_CUDA_HANDOFF_H
#include "port.h"

typedef unsigned long long watch_word;
/* A value and, in the high half, the number of the step that it belongs to. */
typedef unsigned long long step_word;

typedef struct {
  watch_word *watch;
  unsigned long long since; /* 0 before the first look at the clock */
  natural tries;
} patience;

/* Looks at a flag before one at the clock and at the watch, which lies in the host's memory. */
enum { TRIES = 512 };

DEVICE_FN patience patience_of(watch_word *watch) {
  patience mine = {watch, 0, 0};
  return mine;
}

/* The first to give up says for what: the hand-off by its number, the group that waits and the step that it wants. */
DEVICE_FN void give_up(watch_word *watch, natural handoff, natural step) {
  if (load_system(watch) != 0) return;
  store_system(watch, (watch_word)(handoff + 1) << 56 | (watch_word)(GROUP_NUMBER & 0xffffff) << 32 | step);
}

/* Whether to look once more. */
DEVICE_FN bool may_wait(patience *mine, natural handoff, natural step) {
  if (++mine->tries % TRIES != 0) return true;
  unsigned long long now = nanoseconds();
  if (mine->since == 0) mine->since = now;
  if (load_system(mine->watch) != 0) return false;
  if (now - mine->since < load_system(mine->watch + 1)) return true;
  give_up(mine->watch, handoff, step);
  return false;
}

DEVICE_FN step_word of_step(natural value, natural step) { return (step_word)step << 32 | value; }
/* Steps are compared by their distance, so that they may run past the largest natural. */
DEVICE_FN bool has_come(natural found, natural wanted) { return (int)(found - wanted) >= 0; }

/* The value that came with this step or a later one. */
DEVICE_FN bool await_word(const step_word *at, natural step, natural *value, watch_word *watch, natural handoff) {
  patience mine = patience_of(watch);
  step_word found = load_relaxed(at);
  while (!has_come((natural)(found >> 32), step)) {
    if (!may_wait(&mine, handoff, step)) return false;
    found = load_relaxed(at);
  }
  *value = (natural)found;
  return true;
}

/* What was written before the flag got this step is seen after this, by the whole group after a barrier. */
DEVICE_FN bool await_flag(const natural *at, natural step, watch_word *watch, natural handoff) {
  patience mine = patience_of(watch);
  while (!has_come(load_acquire(at), step)) {
    if (!may_wait(&mine, handoff, step)) return false;
  }
  return true;
}

#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 900
/* The end of an mbarrier's phase; step is for the message. */
DEVICE_FN bool await_phase(unsigned long long *barrier, natural parity, natural step, watch_word *watch,
                           natural handoff) {
  patience mine = patience_of(watch);
  while (!mbarrier_try_wait(barrier, parity)) {
    if (!may_wait(&mine, handoff, step)) return false;
  }
  return true;
}
#endif

#endif

/* What a device can do at best, each thing by itself: `unroll bench --ceilings`. io.unroll.device.cuda.Ceilings launches
 * these, computes what each must have left, and times them. Wherever something is handed over, every step depends on
 * what came, so that a wrong word shows in the result. items is the number of steps; off is 0, and in tests how many
 * steps too early a group takes what it waits for (2 is what a double buffer held before), or -1 for a step that
 * nobody makes.
 */
#include "../gpu/launch.h"
#include "handoff.h"

enum {
  CHAINS = 8,     /* products of a lane that do not wait for one another */
  REPEATS = 16,  /* of each chain in an item */
  FRAGMENTS = 8,  /* results of a warp, likewise */
  PUBLISHED = 8   /* words that a group hands to all others in a step */
};
enum { WORDS = 0, FLAGS = 1 }; /* the hand-offs, by their numbers for the watch */

/* Four vectors of a lane under way at once. */
KERNEL copy_kernel(READS(uint4, from), WRITES(uint4, to), offset items) {
  offset lanes = GROUPS * GROUP, i = GROUP_NUMBER * GROUP + LANE;
  for (; i + 3 * lanes < items; i += 4 * lanes) {
    uint4 a = AT(from, i), b = AT(from, i + lanes), c = AT(from, i + 2 * lanes), d = AT(from, i + 3 * lanes);
    AT(to, i) = a;
    AT(to, i + lanes) = b;
    AT(to, i + 2 * lanes) = c;
    AT(to, i + 3 * lanes) = d;
  }
  for (; i < items; i += lanes) AT(to, i) = AT(from, i);
}

/* Every group reads all items, a multiple of its lanes, so many rounds, each group from a place of its own on, so that
 * they do not all want the same at once. out [GROUPS, GROUP] is what each lane has added up. */
DEVICE_FN natural read_part(const uint4 *from, offset first, offset last) {
  natural sum = 0;
  for (offset i = first * GROUP + LANE; i < last * GROUP; i += GROUP) {
    uint4 v = from[i];
    sum += v.x + v.y + v.z + v.w;
  }
  return sum;
}
KERNEL read_kernel(READS(uint4, from), WRITES(natural, out), int rounds, offset items) {
  offset passes = items / GROUP, first = GROUP_NUMBER % passes;
  natural sum = 0;
  for (int round = 0; round < rounds; round++) {
    sum += read_part(START(from), first, passes) + read_part(START(from), 0, first);
  }
  AT(out, GROUP_NUMBER * GROUP + LANE) = sum;
}

/* With factor and addend 1 a chain that begins at c ends at c + REPEATS * items. */
KERNEL fma_kernel(WRITES(real, out), real factor, real addend, offset items) {
  real x[CHAINS], sum = 0.0f;
  for (int c = 0; c < CHAINS; c++) x[c] = TO_REAL(c);
  for (int i = 0; i < (int)items; i++) {
    for (int u = 0; u < REPEATS; u++) {
      for (int c = 0; c < CHAINS; c++) x[c] = x[c] * factor + addend;
    }
  }
  for (int c = 0; c < CHAINS; c++) sum += x[c];
  AT(out, GROUP_NUMBER * GROUP + LANE) = sum;
}

/* From sm_80 on. Of ones: every element of every result is as long as the rows, times items. -1 where one is not. */
KERNEL mma_bf16_kernel(WRITES(real, out), real one, offset items) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  unsigned both = pack_bf16(one, one), a[4] = {both, both, both, both}, b[2] = {both, both};
  float d[FRAGMENTS][4] = {};
  for (int i = 0; i < (int)items; i++) {
    for (int f = 0; f < FRAGMENTS; f++) multiply_bf16(d[f], a, b);
  }
  real same = d[0][0];
  for (int f = 0; f < FRAGMENTS * 4; f++) same = d[f / 4][f % 4] == d[0][0] ? same : -1.0f;
  AT(out, GROUP_NUMBER * GROUP + LANE) = same;
#endif
}
KERNEL mma_tf32_kernel(WRITES(real, out), real one, offset items) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  unsigned bits = to_tf32(one), a[4] = {bits, bits, bits, bits}, b[2] = {bits, bits};
  float d[FRAGMENTS][4] = {};
  for (int i = 0; i < (int)items; i++) {
    for (int f = 0; f < FRAGMENTS; f++) multiply_tf32(d[f], a, b);
  }
  real same = d[0][0];
  for (int f = 0; f < FRAGMENTS * 4; f++) same = d[f / 4][f % 4] == d[0][0] ? same : -1.0f;
  AT(out, GROUP_NUMBER * GROUP + LANE) = same;
#endif
}

/* out[16,8] = a[16,items] b[items,8] by the layout that port.h tells; b is stored by columns. 16 items in bf16, 8 in
 * tf32. turn is 0, and in tests what the lanes' columns of b are turned by. */
KERNEL fragments_bf16_kernel(READS(real, a), READS(real, b), WRITES(real, out), int turn, offset items) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  if (LANE >= 32) return;
  int g = LANE / 4, t = LANE % 4, k = (int)items;
  unsigned left[4], right[2];
  for (int i = 0; i < 4; i++) {
    int at = (g + i % 2 * 8) * k + 2 * t + i / 2 * 8;
    left[i] = pack_bf16(AT(a, at), AT(a, at + 1));
  }
  for (int i = 0; i < 2; i++) {
    int at = (g + turn) % 8 * k + 2 * t + i * 8;
    right[i] = pack_bf16(AT(b, at), AT(b, at + 1));
  }
  float d[4] = {};
  multiply_bf16(d, left, right);
  for (int i = 0; i < 4; i++) AT(out, (g + i / 2 * 8) * 8 + 2 * t + i % 2) = d[i];
#endif
}
KERNEL fragments_tf32_kernel(READS(real, a), READS(real, b), WRITES(real, out), int turn, offset items) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
  if (LANE >= 32) return;
  int g = LANE / 4, t = LANE % 4, k = (int)items;
  unsigned left[4], right[2];
  for (int i = 0; i < 4; i++) left[i] = to_tf32(AT(a, (g + i % 2 * 8) * k + t + i / 2 * 4));
  for (int i = 0; i < 2; i++) right[i] = to_tf32(AT(b, (g + turn) % 8 * k + t + i * 4));
  float d[4] = {};
  multiply_tf32(d, left, right);
  for (int i = 0; i < 4; i++) AT(out, (g + i / 2 * 8) * 8 + 2 * t + i % 2) = d[i];
#endif
}

/* Each lane takes the word of the next one and adds 1, a barrier for each step. */
KERNEL barrier_kernel(WRITES(natural, out), int off, offset items) {
  SHARED natural sides[2][GROUP];
  natural value = (natural)(GROUP_NUMBER * GROUP) + (natural)LANE;
  sides[0][LANE] = sides[1][LANE] = 0;
  BARRIER();
  for (int step = 0; step < (int)items; step++) {
    sides[step & 1][LANE] = value;
    BARRIER();
    value = sides[(step + off) & 1][(LANE + 1) % GROUP] + 1;
  }
  AT(out, GROUP_NUMBER * GROUP + LANE) = value;
}

/* The same between groups, one word each. sides [2, GROUPS] are zeros at first. */
KERNEL grid_kernel(WRITES(natural, sides), WRITES(natural, out), int off, offset items) {
  natural value = (natural)GROUP_NUMBER;
  for (int step = 0; step < (int)items; step++) {
    if (LANE == 0) AT(sides, (step & 1) * GROUPS + GROUP_NUMBER) = value;
    GRID_BARRIER();
    if (LANE == 0) value = AT(sides, ((step + off) & 1) * GROUPS + (GROUP_NUMBER + 1) % GROUPS) + 1;
  }
  if (LANE == 0) AT(out, GROUP_NUMBER) = value;
}

/* The same between the items of one launch and those of the next. */
KERNEL boundary_kernel(READS(natural, from), WRITES(natural, to), offset items) {
  EACH_ITEM(i) AT(to, i) = AT(from, (i + 1) % items) + 1;
}

/* In a step every group hands PUBLISHED words to all, and each lane adds up every GROUP-th of all words; its sum, plus
 * 1, is what it hands over next. out [GROUPS, GROUP] is the sum of all steps, each with three times the weight of the
 * next. words [2, GROUPS, PUBLISHED]; steps count from first on, above all that went before. */
KERNEL words_kernel(WRITES(step_word, words), WRITES(natural, out), WRITES(watch_word, watch), int first, int off,
                    offset items) {
  int count = PUBLISHED * (int)GROUPS, mine = PUBLISHED * (int)GROUP_NUMBER + LANE;
  natural value = (natural)mine, sum = 0;
  for (natural step = (natural)first; step != (natural)first + (natural)items; step++) {
    step_word *side = START(words) + (int)(step & 1) * count;
    if (LANE < PUBLISHED) store_relaxed(side + mine, of_step(value, step));
    bool came = true;
    natural taken = 0, word;
    for (int i = LANE; i < count && came; i += GROUP) {
      word = 0;
      came = await_word(side + i, step - (natural)off, &word, START(watch), WORDS);
      taken += word;
    }
    sum = 3 * sum + taken;
    value = taken + 1;
    if (__syncthreads_or(!came)) return;
  }
  AT(out, GROUP_NUMBER * GROUP + LANE) = sum;
}

/* The same with plain words, and a flag of each group that says which step they belong to. */
KERNEL flags_kernel(WRITES(natural, words), WRITES(natural, flags), WRITES(natural, out), WRITES(watch_word, watch),
                    int first, int off, offset items) {
  int count = PUBLISHED * (int)GROUPS, mine = PUBLISHED * (int)GROUP_NUMBER + LANE;
  natural value = (natural)mine, sum = 0;
  for (natural step = (natural)first; step != (natural)first + (natural)items; step++) {
    natural *side = START(words) + (int)(step & 1) * count;
    if (LANE < PUBLISHED) side[mine] = value;
    BARRIER();
    if (LANE == 0) store_release(START(flags) + GROUP_NUMBER, step);
    bool came = true;
    for (int i = LANE; i < (int)GROUPS && came; i += GROUP) {
      came = await_flag(START(flags) + i, step - (natural)off, START(watch), FLAGS);
    }
    if (__syncthreads_or(!came)) return;
    natural taken = 0;
    for (int i = LANE; i < count; i += GROUP) taken += side[i];
    sum = 3 * sum + taken;
    value = taken + 1;
  }
  AT(out, GROUP_NUMBER * GROUP + LANE) = sum;
}

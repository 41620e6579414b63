/* Kernels for the tests of the simulation itself: what lanes and groups tell one another. */
#include "../../../kernels/cuda/port.h"

KERNEL shuffle_kernel(READS(int, in), WRITES(int, out), offset items) {
  int lane = LANE % 32, value = AT(in, LANE);
  GLOBAL int *own = START(out) + LANE * 8;
  own[0] = __shfl_sync(~0u, value, 5);
  own[1] = __shfl_xor_sync(~0u, value, 3);
  own[2] = __shfl_up_sync(~0u, value, 2);
  own[3] = __shfl_down_sync(~0u, value, 7, 16);
  own[4] = (int)__ballot_sync(~0u, value % 3 == 0);
  /* Halves of a warp that meet a different number of times, and then all. */
  unsigned half = lane < 16 ? 0x0000ffffu : 0xffff0000u;
  int sum = value;
  for (int bits = 1; bits < (lane < 16 ? 16 : 4); bits *= 2) sum += __shfl_xor_sync(half, sum, bits);
  own[5] = sum;
  own[6] = __any_sync(~0u, value == AT(in, 40)) + 2 * __all_sync(~0u, value >= 0);
  own[7] = __syncthreads_count(value % 2) + 1000 * __syncthreads_or(LANE == 77) + 2000 * __syncthreads_and(LANE < 200);
}

/* Each group adds its number to what the group before it has left, round by round. */
KERNEL grid_sum_kernel(WRITES(int, sums), WRITES(int, atomic), int rounds, offset items) {
  for (int round = 0; round < rounds; round++) {
    const int *before = START(sums) + round % 2 * GROUPS;
    int *after = START(sums) + (round + 1) % 2 * GROUPS;
    if (LANE == (round * 37) % GROUP) {
      after[GROUP_NUMBER] = before[(GROUP_NUMBER + 1) % GROUPS] + (int)GROUP_NUMBER;
      atomicAdd(START(atomic), 1);
    }
    GRID_BARRIER();
  }
}

/* out[16,8] = a[16,16] b[16,8] of bf16 in, by one warp. b is stored by columns. */
KERNEL bf16_kernel(READS(real, a), READS(real, b), WRITES(real, out), offset items) {
  if (LANE >= 32) return;
  int g = LANE / 4, t = LANE % 4;
  unsigned left[4], right[2];
  for (int i = 0; i < 4; i++) {
    int at = (g + i % 2 * 8) * 16 + 2 * t + i / 2 * 8;
    left[i] = pack_bf16(AT(a, at), AT(a, at + 1));
  }
  for (int i = 0; i < 2; i++) {
    int at = g * 16 + 2 * t + i * 8;
    right[i] = pack_bf16(AT(b, at), AT(b, at + 1));
  }
  float d[4] = {1, 2, 3, 4};
  multiply_bf16(d, left, right);
  for (int i = 0; i < 4; i++) AT(out, (g + i / 2 * 8) * 8 + 2 * t + i % 2) = d[i];
}

/* The same with a[16,8], b[8,8] in tf32. */
KERNEL tf32_kernel(READS(real, a), READS(real, b), WRITES(real, out), offset items) {
  if (LANE >= 32) return;
  int g = LANE / 4, t = LANE % 4;
  unsigned left[4], right[2];
  for (int i = 0; i < 4; i++) left[i] = to_tf32(AT(a, (g + i % 2 * 8) * 8 + t + i / 2 * 4));
  for (int i = 0; i < 2; i++) right[i] = to_tf32(AT(b, g * 8 + t + i * 4));
  float d[4] = {0, 0, 0, 0};
  multiply_tf32(d, left, right);
  for (int i = 0; i < 4; i++) AT(out, (g + i / 2 * 8) * 8 + 2 * t + i % 2) = d[i];
}

/* Through the group's memory by asynchronous copies, the last of them cut; one group is still under way when the
 * first is read. */
KERNEL copy_kernel(READS(real, in), WRITES(real, out), int count, offset items) {
  GROUP_MEMORY(real, part);
  for (int i = LANE * 4; i < 2 * GROUP * 4; i += GROUP * 4) {
    int left = count - i < 0 ? 0 : count - i < 4 ? count - i : 4;
    copy_async_part(part + i, START(in) + i, left * 4);
    copy_async_commit();
  }
  copy_async_wait<1>();
  __syncthreads();
  int mirror = GROUP * 4 - 1 - LANE;
  AT(out, LANE) = part[mirror];
  if (LANE == 0) AT(out, 2 * GROUP) = part[GROUP * 4]; /* there only if the second group is early */
  copy_async_wait<0>();
  __syncthreads();
  AT(out, GROUP + LANE) = part[GROUP * 4 + mirror];
}

/* A chain of groups: each waits for the number of the one before. */
KERNEL chain_kernel(WRITES(unsigned long long, words), offset items) {
  if (LANE != 0) return;
  unsigned long long value = 0;
  while (GROUP_NUMBER > 0 && (value = load_relaxed(START(words) + GROUP_NUMBER - 1)) == 0) {
  }
  store_relaxed(START(words) + GROUP_NUMBER, value + 1);
}

/* For reports: half of a group at another barrier, one group that does not come, a wait for nobody. */
KERNEL stuck_kernel(WRITES(unsigned, flag), int how, offset items) {
  if (how == 0 && LANE < 100) GRID_BARRIER();
  if (how == 0) BARRIER();
  if (how == 1 && GROUP_NUMBER != 1) GRID_BARRIER();
  while (how == 2 && LANE == 3 && load_acquire(START(flag)) == 0) {
  }
  if (how == 3 && LANE == 1) __shfl_sync(3u, 1, 0);
  if (how == 3) BARRIER();
  if (how == 4 && LANE < 32) {
    if (LANE == 7) __syncwarp();
    else __ballot_sync(~0u, 1);
  }
}

/* Writes where it is told to. */
KERNEL write_kernel(WRITES(real, out), offset at, int shared_at, offset items) {
  GROUP_MEMORY(real, part);
  if (LANE == 0) AT(out, at) = 1;
  if (LANE == 1) part[shared_at] = 1;
}

/* Reads the group's memory before it is written, and then writes it. */
KERNEL fresh_kernel(WRITES(real, out), offset items) {
  GROUP_MEMORY(real, part);
  SHARED real other[4];
  if (LANE != 0) return;
  AT(out, 0) = part[3];
  AT(out, 1) = other[2];
  part[3] = other[2] = 1;
}

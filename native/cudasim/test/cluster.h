/* Kernels for the tests of the simulation itself: clusters. */
#include "../../../kernels/cuda/port.h"

/* Each group of a cluster sends a word of each lane to the next, round by round, and adds one. */
CLUSTER_KERNEL ring_kernel(WRITES(unsigned, out), int rounds, offset items) {
  __shared__ unsigned long long full[2];
  __shared__ unsigned got[2][GROUP];
  if (LANE == 0) {
    mbarrier_init(&full[0], 1);
    mbarrier_init(&full[1], 1);
  }
  cluster_arrive();
  cluster_wait();
  unsigned next = (cluster_rank() + 1) % CLUSTER, value = (unsigned)GROUP_NUMBER * 1000 + LANE;
  for (int round = 0; round < rounds; round++) {
    int side = round % 2;
    if (LANE == 0) mbarrier_arrive(&full[side], GROUP * 4);
    store_async(peer_address(&got[side][LANE], next), value, peer_address(&full[side], next));
#ifndef NO_WAIT
    while (!mbarrier_try_wait(&full[side], round / 2 % 2)) {
    }
#endif
    value = got[side][LANE] + 1;
    cluster_arrive();
    cluster_wait();
  }
  AT(out, GROUP_NUMBER * GROUP + LANE) = value;
}

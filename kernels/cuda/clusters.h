/* Ceilings of clusters, as ceilings.h has those of groups; compiled for each size of a cluster, from sm_90 on.
 *
 * In a step of sync_kernel and async_kernel every lane hands a word to a lane of some group of its cluster: lane
 * l of group r sends to group l % CLUSTER, and finds there the word of lane r + CLUSTER * (l % SHARE) of group
 * l / SHARE, plus 1.
 */
#include "handoff.h"

enum { SHARE = GROUP / CLUSTER, VECTORS = 4 /* of 16 bytes that a lane moves in a step of the rates */ };
enum { PHASE = 0 }; /* the hand-off, for the watch */

DEVICE_FN void cluster_barrier() {
  cluster_arrive();
  cluster_wait();
}

/* What each group believes to be: its rank, and 100 times the size of its cluster. */
CLUSTER_KERNEL rank_kernel(WRITES(natural, out), offset items) {
  if (LANE == 0) AT(out, GROUP_NUMBER) = cluster_rank() + 100 * cluster_size();
}

/* Stores into peers, and a barrier of the cluster. */
CLUSTER_KERNEL sync_kernel(WRITES(natural, out), int off, offset items) {
  SHARED natural got[2][GROUP];
  natural value = (natural)(GROUP_NUMBER * GROUP) + (natural)LANE;
  got[0][LANE] = got[1][LANE] = 0;
  cluster_barrier();
  natural place = cluster_rank() * SHARE + (natural)LANE / CLUSTER;
  peer_pointer even = peer_address(&got[0][place], (unsigned)LANE % CLUSTER);
  peer_pointer odd = peer_address(&got[1][place], (unsigned)LANE % CLUSTER);
  for (int step = 0; step < (int)items; step++) {
    peer_store(step & 1 ? odd : even, value);
    cluster_barrier();
    value = got[(step + off) & 1][LANE] + 1;
  }
  cluster_barrier();
  AT(out, GROUP_NUMBER * GROUP + LANE) = value;
}

/* Stores that an mbarrier of the peer counts; with off -1 it waits for more than are sent. A lane sends only when all lanes of its group have taken what they got,
 * so that two sides are enough. */
CLUSTER_KERNEL async_kernel(WRITES(natural, out), WRITES(watch_word, watch), int off, offset items) {
  SHARED unsigned long long full[2];
  SHARED natural got[2][GROUP];
  natural value = (natural)(GROUP_NUMBER * GROUP) + (natural)LANE;
  got[0][LANE] = got[1][LANE] = 0;
  if (LANE < 2) mbarrier_init(&full[LANE], 1);
  cluster_barrier();
  natural place = cluster_rank() * SHARE + (natural)LANE / CLUSTER;
  unsigned peer = (unsigned)LANE % CLUSTER;
  peer_pointer even = peer_address(&got[0][place], peer), odd = peer_address(&got[1][place], peer);
  peer_pointer evenFull = peer_address(&full[0], peer), oddFull = peer_address(&full[1], peer);
  unsigned bytes = GROUP * 4 + (off < 0 ? 4 : 0);
  int stale = off > 0 ? 1 : 0;
  bool gone = false;
  for (int step = 0; step < (int)items && !gone; step++) {
    int side = step & 1;
    if (LANE == 0) mbarrier_arrive(&full[side], bytes);
    store_async(side ? odd : even, value, side ? oddFull : evenFull);
    bool came = await_phase(&full[side], (unsigned)step / 2 & 1, (natural)step, START(watch), PHASE);
    value = got[side ^ stale][LANE] + 1;
    gone = __syncthreads_or(!came) != 0;
  }
  cluster_barrier(); /* nobody ends while others write to its memory */
  if (!gone) AT(out, GROUP_NUMBER * GROUP + LANE) = value;
}

DEVICE_FN natural mixed(uint4 v) { return v.x + 3 * v.y + 5 * v.z + 7 * v.w; }

/* Vectors of a lane into the next group's memory, over and over; what came last is step, group, lane, number. */
CLUSTER_KERNEL store_kernel(WRITES(natural, out), int off, offset items) {
  SHARED uint4 got[VECTORS][GROUP];
  cluster_barrier();
  peer_pointer there[VECTORS];
  unsigned next = (cluster_rank() + 1 + (unsigned)off) % CLUSTER;
  for (int i = 0; i < VECTORS; i++) there[i] = peer_address(&got[i][LANE], next);
  for (int step = 0; step < (int)items; step++) {
    for (int i = 0; i < VECTORS; i++) {
      uint4 v = {(natural)step, (natural)GROUP_NUMBER, (natural)LANE, (natural)i};
      peer_store(there[i], v);
    }
  }
  cluster_barrier();
  natural sum = 0;
  for (int i = 0; i < VECTORS; i++) sum += mixed(got[i][LANE]);
  AT(out, GROUP_NUMBER * GROUP + LANE) = sum;
}

/* The same the other way: out of the next group's memory. */
CLUSTER_KERNEL load_kernel(WRITES(natural, out), int off, offset items) {
  SHARED uint4 held[VECTORS][GROUP];
  for (int i = 0; i < VECTORS; i++) {
    uint4 v = {0, (natural)GROUP_NUMBER, (natural)LANE, (natural)i};
    held[i][LANE] = v;
  }
  cluster_barrier();
  peer_pointer there[VECTORS];
  unsigned next = (cluster_rank() + 1 + (unsigned)off) % CLUSTER;
  for (int i = 0; i < VECTORS; i++) there[i] = peer_address(&held[i][LANE], next);
  natural sum = 0;
  for (int step = 0; step < (int)items; step++) {
    for (int i = 0; i < VECTORS; i++) sum += mixed(peer_load_four(there[i]));
  }
  cluster_barrier();
  AT(out, GROUP_NUMBER * GROUP + LANE) = sum;
}

// What lanes, groups and clusters tell one another.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "../runtime/settings.h"
#include "driver.h"

namespace unroll {
namespace test {
namespace {

void testLanes() {
  about("lanes of a warp");
  Random random(1);
  std::vector<int> in(GROUP);
  for (int &value : in) value = random.below(1000);
  Device<int> given(in), out(GROUP * 8, -1);
  CALL(launch(function("exchange", "shuffle_kernel"), {1}, given.at(), out.at(), int64_t{GROUP}));
  CALL(cuCtxSynchronize());
  std::vector<int> found = out.read();
  int odd = 0;
  for (int value : in) odd += value % 2;
  for (int i = 0; i < static_cast<int>(GROUP); i++) {
    int lane = i % 32;
    const int *warp = in.data() + i - lane, *own = found.data() + i * 8;
    int ballot = 0, any = 0, sum = 0;
    for (int other = 0; other < 32; other++) {
      if (warp[other] % 3 == 0) ballot = static_cast<int>(static_cast<unsigned>(ballot) | 1u << other);
      any |= warp[other] == in[40] ? 1 : 0;
      bool near = lane < 16 ? other < 16 : other >= 16 && other / 4 == lane / 4;
      sum += near ? warp[other] : 0;
    }
    compare("shfl", i, own[0], warp[5], 0);
    compare("shfl_xor", i, own[1], warp[lane ^ 3], 0);
    compare("shfl_up", i, own[2], lane < 2 ? warp[lane] : warp[lane - 2], 0);
    compare("shfl_down of 16", i, own[3], lane % 16 + 7 > 15 ? warp[lane] : warp[lane + 7], 0);
    compare("ballot", i, own[4], ballot, 0);
    compare("halves", i, own[5], sum, 0);
    compare("any, all", i, own[6], any + 2, 0);
    compare("count, or, and", i, own[7], odd + 1000, 0);
  }
}

void testGridBarrier() {
  about("the barrier of all groups");
  const int groups = 7, rounds = 12;
  int expected[groups], next[groups];
  for (int &value : expected) value = 1;
  for (int round = 0; round < rounds; round++) {
    for (int i = 0; i < groups; i++) next[i] = expected[(i + 1) % groups] + i;
    std::copy(next, next + groups, expected);
  }
  Device<int> sums(2 * groups, 1), count(1, 0);
  CALL(launch(function("exchange", "grid_sum_kernel"), {groups, 0, true}, sums.at(), count.at(), rounds, int64_t{0}));
  CALL(cuCtxSynchronize());
  std::vector<int> found = sums.read();
  for (int i = 0; i < groups; i++) compare("sums", i, found[static_cast<size_t>(i)], expected[i], 0);
  compare("times", 0, count.read()[0], groups * rounds, 0);
}

// Half of what can be told apart, so that a rounding to bf16 or tf32 changes nothing, and sums are exact.
std::vector<float> halves(size_t count, Random &random) {
  std::vector<float> values(count);
  for (float &value : values) value = static_cast<float>(random.below(65) - 32) / 2;
  return values;
}

void testMatrices(const char *name, int depth, const std::vector<float> &first) {
  about("%s", name);
  Random random(2);
  size_t k = static_cast<size_t>(depth);
  std::vector<float> a = halves(16 * k, random), b = halves(8 * k, random);
  Device<float> left(a), right(b), out(128, NOTHING);
  CALL(launch(function("exchange", name), {1}, left.at(), right.at(), out.at(), int64_t{0}));
  CALL(cuCtxSynchronize());
  std::vector<float> found = out.read();
  for (size_t i = 0; i < 16; i++) {
    for (size_t j = 0; j < 8; j++) {
      double sum = first[i / 8 * 2 + j % 2];
      for (size_t p = 0; p < k; p++) sum += static_cast<double>(a[i * k + p]) * b[j * k + p];
      compare("product", static_cast<int>(i * 8 + j), found[i * 8 + j], sum, 0);
    }
  }
}

void testCopies() {
  about("asynchronous copies");
  const int group = GROUP, count = 2 * 4 * group - 130;
  std::vector<float> in(2 * 4 * GROUP);
  std::iota(in.begin(), in.end(), 1.0f);
  Device<float> given(in), out(2 * GROUP + 1, NOTHING);
  CALL(launch(function("exchange", "copy_kernel"), {1, 2 * 4 * GROUP * 4}, given.at(), out.at(), count, int64_t{0}));
  CALL(cuCtxSynchronize());
  std::vector<float> found = out.read();
  for (int i = 0; i < 2 * group; i++) {
    int from = (i / group + 1) * 4 * group - 1 - i % group;
    compare("copied", i, found[static_cast<size_t>(i)], from < count ? from + 1 : 0, 0);
  }
  double early = cudasim::settings().late ? NAN : 4 * group + 1;
  compare("not waited for", 0, found[2 * GROUP], early, 0);
}

void testChain() {
  about("groups that wait for one another in loops");
  const int groups = 6;
  Device<uint64_t> words(groups, 0);
  CALL(launch(function("exchange", "chain_kernel"), {groups, 0, true}, words.at(), int64_t{0}));
  CALL(cuCtxSynchronize());
  std::vector<uint64_t> found = words.read();
  for (int i = 0; i < groups; i++) compare("words", i, static_cast<double>(found[static_cast<size_t>(i)]), i + 1, 0);
}

}  // namespace

bool ringRunsRight(const char *module) {
  const unsigned groups = 8, rounds = 5, size = 4;
  Device<unsigned> out(groups * GROUP, 0);
  CALL(launch(function(module, "ring_kernel"), {groups}, out.at(), static_cast<int>(rounds), int64_t{0}));
  if (cuCtxSynchronize() != 0) return false;
  std::vector<unsigned> found = out.read();
  for (unsigned i = 0; i < groups * GROUP; i++) {
    unsigned group = i / GROUP, from = group / size * size + (group + size * rounds - rounds) % size;
    if (found[i] != from * 1000 + i % GROUP + rounds) return false;
  }
  return true;
}

void testExchange() {
  Session session;
  testLanes();
  testGridBarrier();
  testMatrices("bf16_kernel", 16, {1, 2, 3, 4});
  testMatrices("tf32_kernel", 8, {0, 0, 0, 0});
  testCopies();
  testChain();
  about("clusters");
  if (!ringRunsRight("cluster-CLUSTER=4")) fail("what the groups of a cluster send does not come");
}

}  // namespace test
}  // namespace unroll

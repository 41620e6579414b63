// What a stream captures, and what becomes of it.
#include "driver.h"

namespace unroll {
namespace test {
namespace {

struct Streams {
  void *one, *two, *fork, *join;
  Streams() {
    CALL(cuStreamCreate(&one, 1));
    CALL(cuStreamCreate(&two, 1));
    CALL(cuEventCreate(&fork, 2));
    CALL(cuEventCreate(&join, 2));
  }
};

const int N = 500;

int add(void *stream, const Device<float> &x, const Device<float> &y, float a) {
  return launch(function("elements", "axpby_kernel"), {2, 0, false, stream}, x.at(), y.at(), a, 1.0f, int64_t{N});
}

int64_t nodesOf(void *graph) {
  size_t count = 0;
  CALL(cuGraphGetNodes(graph, nullptr, &count));
  return static_cast<int64_t>(count);
}

// x += 1 at the fork; then y += x on one stream and z += 2x on the other; then x = y + z.
void testReplay() {
  about("a graph of two streams");
  Session session;
  Streams streams;
  Device<float> one(N, 1), x(N, 0), y(N, 0), z(N, 0);
  add(nullptr, one, one, 0);  // loads the module, which capture forbids
  CALL(cuCtxSynchronize());
  void *graph, *exec;
  CALL(cuStreamBeginCapture_v2(streams.one, 0));
  CALL(add(streams.one, one, x, 1));
  CALL(cuEventRecord(streams.fork, streams.one));
  CALL(cuStreamWaitEvent(streams.two, streams.fork, 0));
  int status;
  CALL(cuStreamIsCapturing(streams.two, &status));
  compare("capturing", 0, status, 1, 0);
  CALL(add(streams.two, x, z, 2));
  CALL(add(streams.one, x, y, 1));
  CALL(cuEventRecord(streams.join, streams.two));
  CALL(cuStreamWaitEvent(streams.one, streams.join, 0));
  CALL(cuMemsetD32Async(reinterpret_cast<uint64_t>(x.at()), 0, N, streams.one));
  CALL(add(streams.one, y, x, 1));
  CALL(add(streams.one, z, x, 1));
  CALL(cuStreamEndCapture(streams.one, &graph));
  compare("nodes", 0, static_cast<double>(nodesOf(graph)), 6, 0);
  compare("not run yet", 0, x.read()[0], 0, 0);
  CALL(cuGraphInstantiateWithFlags(&exec, graph, 0));
  CALL(cuGraphDestroy(graph));
  float expected = 0, sumY = 0, sumZ = 0;
  for (int round = 0; round < 4; round++) {
    CALL(cuGraphLaunch(exec, streams.one));
    expected += 1;
    sumY += expected;
    sumZ += 2 * expected;
    expected = sumY + sumZ;
  }
  CALL(cuStreamSynchronize(streams.one));
  std::vector<float> found = x.read();
  for (int i = 0; i < N; i++) compare("x", i, found[static_cast<size_t>(i)], expected, 0);
  CALL(cuGraphExecDestroy(exec));
}

struct KernelParameters {
  void *function;
  unsigned grid[3], block[3], sharedBytes;
  void **parameters, **extra, *kernel, *context;
};

// Changes an argument of a node; launches that were queued before keep theirs.
void testChangedNode() {
  about("a changed node");
  Session session;
  Streams streams;
  Device<float> one(N, 1), x(N, 0);
  function("elements", "axpby_kernel");
  void *graph, *exec, *node;
  CALL(cuStreamBeginCapture_v2(streams.one, 0));
  CALL(add(streams.one, one, x, 1));
  CALL(cuStreamEndCapture(streams.one, &graph));
  size_t count = 1;
  CALL(cuGraphGetNodes(graph, &node, &count));
  CALL(cuGraphInstantiateWithFlags(&exec, graph, 0));
  KernelParameters parameters;
  CALL(cuGraphKernelNodeGetParams_v2(node, &parameters));
  compare("blocks", 0, parameters.grid[0], 2, 0);
  std::vector<void *> arguments(parameters.parameters, parameters.parameters + 5);
  float ten = 10;
  arguments[2] = &ten;
  parameters.parameters = arguments.data();
  CALL(cuGraphLaunch(exec, streams.one));
  CALL(cuGraphExecKernelNodeSetParams_v2(exec, node, &parameters));
  CALL(cuGraphLaunch(exec, streams.one));
  CALL(cuStreamSynchronize(streams.one));
  compare("x", 0, x.read()[0], 11, 0);
}

void testForbidden() {
  about("what may not be captured");
  Session session;
  Streams streams;
  Device<float> one(N, 1), x(N, 0);
  function("elements", "axpby_kernel");
  void *graph;
  uint64_t address;
  CALL(cuStreamBeginCapture_v2(streams.one, 0));
  CALL_GIVES(900, cuMemAlloc_v2(&address, 4));
  CALL_GIVES(901, add(streams.one, one, x, 1));
  CALL_GIVES(901, cuStreamEndCapture(streams.one, &graph));
  CALL(cuStreamBeginCapture_v2(streams.one, 0));
  CALL_GIVES(900, cuStreamSynchronize(streams.one));
  CALL_GIVES(901, cuStreamEndCapture(streams.one, &graph));
  CALL(cuStreamBeginCapture_v2(streams.one, 2));
  CALL(cuMemAlloc_v2(&address, 4));
  CALL(cuEventRecord(streams.fork, streams.one));
  CALL_GIVES(907, cuEventSynchronize(streams.fork));
  CALL_GIVES(901, cuStreamEndCapture(streams.one, &graph));
  CALL(cuStreamBeginCapture_v2(streams.one, 0));
  CALL(add(streams.one, one, x, 1));
  CALL(cuEventRecord(streams.fork, streams.one));
  CALL(cuStreamWaitEvent(streams.two, streams.fork, 0));
  CALL(add(streams.two, one, x, 1));
  CALL_GIVES(904, cuStreamEndCapture(streams.one, &graph));
}

}  // namespace

void testGraphs() {
  testReplay();
  testChangedNode();
  testForbidden();
}

}  // namespace test
}  // namespace unroll

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

struct CopyParameters {
  struct End {
    size_t x, y, z, level;
    unsigned type;
    const void *host;
    uint64_t device;
    void *array, *reserved;
    size_t pitch, height;
  } from, to;
  size_t width, height, depth;
};

// From pinned memory to an array.
CopyParameters copyOf(const float *from, const Device<float> &to, size_t bytes) {
  auto address = reinterpret_cast<uint64_t>(to.at());
  return {{0, 0, 0, 0, 1, from, 0, nullptr, nullptr, bytes, 1},
          {0, 0, 0, 0, 2, nullptr, address, nullptr, nullptr, bytes, 1},
          bytes,
          1,
          1};
}

// A copy, and behind it a kernel: x = what is copied, y += a x.
struct Chain {
  Device<float> x{N, 0}, y{N, 0};
  float *host;
  float a = 2, one = 1;
  int64_t items = N;
  float *from = x.at(), *to = y.at();
  void *arguments[5] = {&from, &to, &a, &one, &items};
  KernelParameters kernel = {function("elements", "axpby_kernel"), {2, 1, 1}, {GROUP, 1, 1}, 0, arguments, nullptr,
                             nullptr, nullptr};
  void *graph, *copy, *launch;
  Chain() {
    void *memory;
    CALL(cuMemHostAlloc(&memory, 2 * N * sizeof(float), 0));
    host = static_cast<float *>(memory);
    for (int i = 0; i < 2 * N; i++) host[i] = i < N ? 3 : 5;
    CALL(cuGraphCreate(&graph, 0));
    CopyParameters first = copyOf(host, x, N * sizeof(float));
    CALL(cuGraphAddMemcpyNode(&copy, graph, nullptr, 0, &first, nullptr));
    CALL(cuGraphAddKernelNode_v2(&launch, graph, &copy, 1, &kernel));
  }
};

// Nodes made one by one; a seed runs them in the order of their edges as well.
void testCopyNode() {
  about("a node that copies");
  Session session;
  Streams streams;
  Chain chain;
  void *exec;
  CALL(cuGraphInstantiateWithFlags(&exec, chain.graph, 0));
  CALL(cuGraphLaunch(exec, streams.one));
  CopyParameters second = copyOf(chain.host + N, chain.x, N * sizeof(float));
  CALL(cuGraphExecMemcpyNodeSetParams(exec, chain.copy, &second, nullptr));
  CALL(cuGraphLaunch(exec, streams.one));
  CALL(cuStreamSynchronize(streams.one));
  compare("y", 0, chain.y.read()[N - 1], 2 * 3 + 2 * 5, 0);
  CALL_GIVES(1, cuGraphExecMemcpyNodeSetParams(exec, chain.launch, &second, nullptr));
  CALL_GIVES(1, cuGraphExecKernelNodeSetParams_v2(exec, chain.copy, &chain.kernel));
  second.width = 2 * N * sizeof(float);
  second.from.host = chain.host;
  second.from.pitch = second.to.pitch = 0;
  CALL_GIVES(1, cuGraphExecMemcpyNodeSetParams(exec, chain.copy, &second, nullptr));
  second.width = 0;
  CALL_GIVES(801, cuGraphExecMemcpyNodeSetParams(exec, chain.copy, &second, nullptr));
  std::vector<float> pageable(N, 1);
  second = copyOf(pageable.data(), chain.x, N * sizeof(float));
  CALL_GIVES(801, cuGraphExecMemcpyNodeSetParams(exec, chain.copy, &second, nullptr));
}

// The copy and the launch between two launches: all of it comes behind the first and before the last.
void testChildGraph() {
  about("a graph within a graph");
  Session session;
  Streams streams;
  Chain chain;
  void *graph, *first, *inner, *last, *exec;
  CALL(cuGraphCreate(&graph, 0));
  CALL(cuGraphAddKernelNode_v2(&first, graph, nullptr, 0, &chain.kernel));
  CALL(cuGraphAddChildGraphNode(&inner, graph, &first, 1, chain.graph));
  CALL(cuGraphDestroy(chain.graph));
  CALL(cuGraphAddKernelNode_v2(&last, graph, &inner, 1, &chain.kernel));
  compare("nodes", 0, static_cast<double>(nodesOf(graph)), 3, 0);
  CALL(cuGraphInstantiateWithFlags(&exec, graph, 0));
  float expected = 0, x = 0;
  for (int round = 0; round < 3; round++) {
    CALL(cuGraphLaunch(exec, streams.one));
    expected += 2 * x;
    x = 3;
    expected += 2 * x + 2 * x;
  }
  CALL(cuStreamSynchronize(streams.one));
  compare("y", 0, chain.y.read()[0], expected, 0);
  void *other, *node;
  CALL(cuGraphCreate(&other, 0));
  CALL_GIVES(1, cuGraphAddKernelNode_v2(&node, other, &first, 1, &chain.kernel));
  CALL_GIVES(400, cuGraphAddChildGraphNode(&node, graph, nullptr, 0, chain.graph));
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
  testCopyNode();
  testChildGraph();
  testForbidden();
}

}  // namespace test
}  // namespace unroll

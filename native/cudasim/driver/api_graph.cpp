// The driver's functions: graphs.
#include <random>

#include "../runtime/settings.h"
#include "launches.h"

namespace unroll {
namespace cudasim {

Node *Graph::add(Work work, const std::vector<Node *> &after) {
  nodes.emplace_back(new Node{this, std::move(work), after, {}});
  return nodes.back().get();
}

namespace {

// CUDA_KERNEL_NODE_PARAMS_v2.
struct KernelParameters {
  Function *function;
  unsigned gridX, gridY, gridZ, blockX, blockY, blockZ, dynamicBytes;
  void **parameters, **extra;
  void *kernel, *context;
};

// CUDA_MEMCPY3D_v2, of which a node here takes a line of bytes between pinned memory and the device.
struct CopyParameters {
  struct End {
    size_t x, y, z, level;
    unsigned type;
    void *host;
    Address device;
    void *array, *reserved;
    size_t pitch, height;
  } from, to;
  size_t width, height, depth;
};

// An order that the edges allow: that of capture, or any with a seed, so that a missing edge shows.
std::vector<size_t> order(const GraphShape &graph) {
  static std::mt19937_64 random(settings().seed);
  size_t count = graph.work.size();
  std::vector<size_t> result;
  std::vector<bool> taken(count, false);
  while (result.size() < count) {
    std::vector<size_t> free;
    for (size_t i = 0; i < count; i++) {
      bool ready = !taken[i];
      for (size_t before : graph.after[i]) ready = ready && taken[before];
      if (ready) free.push_back(i);
      if (ready && settings().seed == 0) break;
    }
    size_t chosen = free[settings().seed == 0 ? 0 : random() % free.size()];
    taken[chosen] = true;
    result.push_back(chosen);
  }
  return result;
}

// The work of a launch, and of the graphs within it.
std::shared_ptr<std::vector<Work>> arrange(const GraphShape &graph) {
  auto parts = std::make_shared<std::vector<Work>>();
  for (size_t i : order(graph)) {
    parts->push_back(graph.work[i]);
    if (parts->back().kind == Work::GRAPH) parts->back().parts = arrange(*parts->back().child);
  }
  return parts;
}

std::map<const Node *, size_t> copyShape(const Graph &of, GraphShape &to) {
  std::map<const Node *, size_t> places;
  for (const auto &node : of.nodes) places.emplace(node.get(), places.size());
  for (const auto &node : of.nodes) {
    to.work.push_back(node->work);
    to.after.emplace_back();
    for (const Node *before : node->after) to.after.back().push_back(places.at(before));
  }
  return places;
}

void instantiate(Call &call, GraphExec **exec, Graph *graph) {
  std::unique_ptr<GraphExec> made(new GraphExec);
  made->context = call.context;
  made->places = copyShape(checked(graph, "graph"), *made);
  machine().handles.insert(made.get());
  *checkedPointer(exec, "exec") = made.release();
}

Work workOf(const KernelParameters *given) {
  const KernelParameters &of = *checkedPointer(given, "parameters");
  LaunchShape shape{{of.gridX, of.gridY, of.gridZ}, {of.blockX, of.blockY, of.blockZ}, of.dynamicBytes, false};
  return launchOf(checked(of.function, "function"), shape, of.parameters, of.extra);
}

Address addressOf(const CopyParameters::End &end, size_t bytes) {
  const unsigned HOST = 1, DEVICE = 2;
  if (end.reserved != nullptr) refuse(INVALID_VALUE, "the reserved pointer must be null, not %p", end.reserved);
  if (end.y != 0 || end.z != 0 || end.level != 0) refuse(NOT_SUPPORTED, "a node copies no more than a line here");
  if (end.pitch != 0 && end.pitch < end.x + bytes) {
    refuse(INVALID_VALUE, "a pitch of %zu is less than %zu bytes from byte %zu on", end.pitch, bytes, end.x);
  }
  Address address = (end.type == HOST ? reinterpret_cast<Address>(end.host) : end.device) + end.x;
  if (end.type == DEVICE) {
    checkDevice(address, bytes);
  } else if (end.type != HOST) {
    refuse(NOT_SUPPORTED, "a node copies between the host and the device here, not memory of type %u", end.type);
  } else if (!isPinned(address, bytes)) {
    refuse(NOT_SUPPORTED, "a node copies memory of the host only if it is pinned here");
  }
  return address;
}

Work workOf(const CopyParameters *given) {
  const CopyParameters &of = *checkedPointer(given, "parameters");
  if (of.width == 0 || of.height != 1 || of.depth != 1) {
    refuse(NOT_SUPPORTED, "a node copies one line here, not %zu x %zu x %zu bytes", of.width, of.height, of.depth);
  }
  Work work;
  work.kind = Work::COPY;
  work.bytes = of.width;
  work.from = addressOf(of.from, of.width);
  work.to = addressOf(of.to, of.width);
  return work;
}

void add(Node **node, Graph *graph, Node **after, size_t count, Work work) {
  Graph &of = checked(graph, "graph");
  std::vector<Node *> before;
  for (size_t i = 0; i < count; i++) {
    before.push_back(&checked(after[i], "node"));
    if (before.back()->graph != &of) refuse(INVALID_VALUE, "a node cannot come after one of another graph");
  }
  Node *made = of.add(std::move(work), before);
  machine().handles.insert(made);
  *checkedPointer(node, "node") = made;
}

Node &kernelNode(Node *handle) {
  Node &node = checked(handle, "node");
  if (node.work.kind != Work::KERNEL) refuse(INVALID_VALUE, "the node is no launch");
  return node;
}

// The work of a node, which must be of that kind.
Work &workIn(GraphExec *exec, const Node *node, Work::Kind kind) {
  GraphExec &of = checked(exec, "executable graph");
  auto place = of.places.find(node);
  if (place == of.places.end()) refuse(INVALID_VALUE, "the executable graph has no such node");
  Work &work = of.work[place->second];
  if (work.kind != kind) refuse(INVALID_VALUE, "the node is no %s", kind == Work::KERNEL ? "launch" : "copy");
  return work;
}

template <class T>
void list(T **out, size_t *count, const std::vector<T *> &all) {
  checkedPointer(count, "count");
  for (size_t i = 0; out != nullptr && i < *count; i++) out[i] = i < all.size() ? all[i] : nullptr;
  *count = all.size();
}

}  // namespace

}  // namespace cudasim
}  // namespace unroll

using namespace unroll::cudasim;

API int cuGraphCreate(Graph **graph, unsigned) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    auto *made = new Graph;
    machine().handles.insert(made);
    *checkedPointer(graph, "graph") = made;
  });
}

API int cuGraphAddKernelNode_v2(Node **node, Graph *graph, Node **after, size_t count, const KernelParameters *given) {
  return call(__func__, Needs::CONTEXT, [&](Call &) { add(node, graph, after, count, workOf(given)); });
}

API int cuGraphAddMemcpyNode(Node **node, Graph *graph, Node **after, size_t count, const CopyParameters *given,
                             Context *) {
  return call(__func__, Needs::CONTEXT, [&](Call &) { add(node, graph, after, count, workOf(given)); });
}

// The graph is copied, and may be destroyed afterwards.
API int cuGraphAddChildGraphNode(Node **node, Graph *graph, Node **after, size_t count, Graph *child) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    auto shape = std::make_shared<GraphShape>();
    copyShape(checked(child, "graph"), *shape);
    Work work;
    work.kind = Work::GRAPH;
    work.child = shape;
    add(node, graph, after, count, std::move(work));
  });
}

API int cuGraphDestroy(Graph *graph) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    Graph &of = checked(graph, "graph");
    for (const auto &node : of.nodes) machine().handles.erase(node.get());
    machine().handles.erase(graph);
    delete graph;
  });
}

API int cuGraphGetNodes(Graph *graph, Node **nodes, size_t *count) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    std::vector<Node *> all;
    for (const auto &node : checked(graph, "graph").nodes) all.push_back(node.get());
    list(nodes, count, all);
  });
}

API int cuGraphNodeGetDependencies(Node *node, Node **before, size_t *count) {
  return call(__func__, Needs::CONTEXT, [&](Call &) { list(before, count, checked(node, "node").after); });
}

API int cuGraphNodeGetType(Node *node, int *type) {
  return call(__func__, Needs::CONTEXT,
              [&](Call &) { *checkedPointer(type, "type") = checked(node, "node").work.kind; });
}

// The parameters stay the node's.
API int cuGraphKernelNodeGetParams_v2(Node *node, KernelParameters *out) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    Work &work = kernelNode(node).work;
    std::vector<void *> &own = node->parameters;
    own.clear();
    for (uint64_t &argument : work.arguments) own.push_back(&argument);
    *checkedPointer(out, "parameters") = {work.function, work.grid.x, work.grid.y, work.grid.z, work.block.x,
                                          work.block.y, work.block.z, work.dynamicBytes, own.data(), nullptr,
                                          nullptr, nullptr};
  });
}

API int cuGraphKernelNodeSetParams_v2(Node *node, const KernelParameters *given) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    Node &of = kernelNode(node);
    bool cooperative = of.work.cooperative;
    of.work = workOf(given);
    of.work.cooperative = cooperative;
  });
}

API int cuGraphInstantiateWithFlags(GraphExec **exec, Graph *graph, unsigned long long) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) { instantiate(call, exec, graph); });
}

API int cuGraphExecKernelNodeSetParams_v2(GraphExec *exec, Node *node, const KernelParameters *given) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    Work &work = workIn(exec, node, Work::KERNEL);
    bool cooperative = work.cooperative;
    work = workOf(given);
    work.cooperative = cooperative;
  });
}

API int cuGraphExecMemcpyNodeSetParams(GraphExec *exec, Node *node, const CopyParameters *given, Context *) {
  return call(__func__, Needs::CONTEXT, [&](Call &) { workIn(exec, node, Work::COPY) = workOf(given); });
}

API int cuGraphUpload(GraphExec *exec, Stream *stream) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    checked(exec, "executable graph");
    checkedStream(call, stream);
  });
}

// What is changed in the graph afterwards does not reach this launch.
API int cuGraphLaunch(GraphExec *exec, Stream *stream) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    GraphExec &of = checked(exec, "executable graph");
    Work work;
    work.kind = Work::GRAPH;
    work.parts = arrange(of);
    submit(checkedStream(call, stream), std::move(work));
  });
}

API int cuGraphExecDestroy(GraphExec *exec) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    GraphExec &of = checked(exec, "executable graph");
    machine().handles.erase(&of);
    delete &of;
  });
}

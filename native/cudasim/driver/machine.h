// The state of the driver: contexts, memory, streams, events. All of it is guarded by one mutex, which every
// call holds but while it waits, and which streams hold but while they work.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "../runtime/grid.h"
#include "../runtime/modules.h"
#include "results.h"

namespace unroll {
namespace cudasim {

typedef uint64_t Address;
typedef std::unique_lock<std::mutex> Lock;

struct Context;
struct Stream;
struct Graph;
struct GraphShape;

// That a piece of work is done, and when.
struct Signal {
  bool done = false;
  double seconds = 0;
};
typedef std::shared_ptr<Signal> SignalPointer;

struct LoadedModule {
  Context *context;
  const Module *module;
};

struct Function {
  LoadedModule *module;
  const Entry *entry;
  int dynamicLimit;
  bool largeClusters = false;  // of more blocks than every device has
};

// What a stream or a node of a graph does.
struct Work {
  enum Kind { KERNEL = 0, COPY = 1, SET = 2, HOST = 3, EMPTY = 5, GRAPH = 4 } kind = EMPTY;
  // KERNEL: the arguments' bytes, one behind the other in words of 8
  Function *function = nullptr;
  dim3 grid, block;
  unsigned dynamicBytes = 0;
  bool cooperative = false;
  std::vector<uint64_t> arguments;
  // COPY, SET: to, and from where or what, in units of so many bytes
  Address to = 0, from = 0;
  size_t bytes = 0;
  uint32_t value = 0;
  int unit = 1;
  std::vector<unsigned char> staged;  // what from was when the call returned, or empty
  // HOST
  void (*host)(void *) = nullptr;
  void *data = nullptr;
  // GRAPH: what it holds, and once it is launched its work in an order that the edges allow
  std::shared_ptr<const GraphShape> child;
  std::shared_ptr<std::vector<Work>> parts;
};

// What a graph does, and behind which of it.
struct GraphShape {
  std::vector<Work> work;
  std::vector<std::vector<size_t>> after;
};

// What UNROLL_CUDASIM_FAIL says of this call; with the mutex.
Result plannedFailure(const char *name);

// Does it; without the mutex. Gives what goes wrong and says it in report.
Result carryOut(Context &context, const Work &work, std::string &report);

struct Allocation {
  size_t bytes;
  unsigned char *block;  // with guards on both sides
  Context *context;
};

struct Capture {
  Graph *graph;
  Stream *origin;
  int mode;
  std::thread::id thread;
  bool invalid;
  std::set<Stream *> streams;
};

struct Node {
  Graph *graph;
  Work work;
  std::vector<Node *> after;
  std::vector<void *> parameters;  // where the arguments are, for who asks
};

struct Graph {
  std::vector<std::unique_ptr<Node>> nodes;
  Node *add(Work work, const std::vector<Node *> &after);
};

struct GraphExec : GraphShape {
  Context *context;
  std::map<const Node *, size_t> places;
};

struct Stream {
  struct Task {
    std::vector<SignalPointer> after;
    Work work;
    SignalPointer done;
  };
  Context *context;
  bool blocking;  // waits for the legacy stream, as that does for it
  bool closing = false;
  std::deque<Task> tasks;
  SignalPointer tail;  // the newest task's, or null
  std::vector<SignalPointer> waits;  // of the next task
  Capture *capture = nullptr;
  std::vector<Node *> tips;  // what the next captured node comes after
};

struct Event {
  bool timed;
  SignalPointer signal;  // null before it is recorded
  Capture *capture = nullptr;
  std::vector<Node *> nodes;
};

struct Context {
  bool primary = false, destroyed = false;
  int references = 0;
  Result error = SUCCESS;  // sticky
  std::shared_ptr<Stream> legacy;
  std::set<std::shared_ptr<Stream>> streams;
};

struct Machine {
  std::mutex mutex;
  std::condition_variable changed;
  bool initialized = false;
  Context primary;
  std::map<Address, Allocation> allocations;
  std::map<Address, size_t> pinned;
  size_t used = 0;
  std::unordered_set<const void *> handles;  // that have not been destroyed
  std::map<Stream *, std::shared_ptr<Stream>> streams;
  std::set<Capture *> captures;
};

// Never destroyed, because streams may outlive main.
Machine &machine();

// Memory: memory.cpp.
Address allocate(Context &context, size_t bytes);
// What neither this process nor another holds.
size_t freeBytes();
void release(Address address);
void releaseAll(Context &context);
// What lies within one allocation, or memory of the host that is pinned.
bool isDevice(Address address, size_t bytes);
bool isPinned(Address address, size_t bytes);
// The first allocation whose guards were written, in words; empty if there is none.
std::string brokenGuards();

// Streams: stream.cpp.
std::shared_ptr<Stream> openStream(Context &context, bool blocking);
void closeStream(Stream &stream);
SignalPointer enqueue(Stream &stream, Work work);
void waitFor(Lock &lock, const SignalPointer &signal);
void waitForAll(Lock &lock, Context &context);
double now();

}  // namespace cudasim
}  // namespace unroll

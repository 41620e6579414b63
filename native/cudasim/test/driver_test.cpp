// The rules of the driver: contexts, pointers, streams, events, memory.
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "../runtime/settings.h"
#include "driver.h"

namespace unroll {
namespace test {
namespace {

// The host's part in a stream: it waits until it is let go.
std::atomic<bool> letGo{false};
void hold(void *) {
  while (!letGo) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void *openStream(unsigned flags) {
  void *stream = nullptr;
  CALL(cuStreamCreate(&stream, flags));
  return stream;
}

void *newEvent() {
  void *event = nullptr;
  CALL(cuEventCreate(&event, 0));
  return event;
}

void testContexts() {
  about("contexts");
  uint64_t address;
  void *context;
  cuInit(0);
  CALL_GIVES(201, cuMemAlloc_v2(&address, 4));
  {
    Session session;
    CALL(cuMemAlloc_v2(&address, 4));
    CALL(cuCtxGetCurrent(&context));
    std::thread([context] {
      uint64_t other;
      CALL_GIVES(201, cuMemAlloc_v2(&other, 4));
      CALL(cuCtxSetCurrent(context));
      CALL(cuMemAlloc_v2(&other, 4));
    }).join();
  }
  CALL(cuCtxSetCurrent(context));
  CALL_GIVES(709, cuMemAlloc_v2(&address, 4));
  CALL(cuCtxSetCurrent(nullptr));
}

void testAllocations() {
  about("memory");
  Session session;
  size_t before, total, free;
  CALL(cuMemGetInfo_v2(&before, &total));
  uint64_t address, other;
  char bytes[100] = {};
  CALL(cuMemAlloc_v2(&address, 100));
  CALL_GIVES(2, cuMemAlloc_v2(&other, total));
  CALL(cuMemGetInfo_v2(&free, &total));
  compare("used", 0, static_cast<double>(before - free), 512, 0);
  CALL(cuMemcpyHtoD_v2(address, bytes, 100));
  CALL_GIVES(1, cuMemcpyHtoD_v2(address, bytes, 101));
  CALL_GIVES(1, cuMemcpyHtoD_v2(address + 1, bytes, 100));
  CALL_GIVES(1, cuMemcpyDtoH_v2(bytes, reinterpret_cast<uint64_t>(bytes), 1));
  CALL_GIVES(1, cuMemsetD32_v2(address + 2, 0, 1));
  CALL_GIVES(1, cuMemFree_v2(address + 4));
  CALL(cuMemFree_v2(address));
  CALL_GIVES(1, cuMemFree_v2(address));
  CALL_GIVES(1, cuMemcpyDtoH_v2(bytes, address, 1));
  // A pointer that is none of the device's is found before the kernel runs.
  CALL(launch(function("elements", "fill_kernel"), {1}, bytes, 1.0f, int64_t{1}));
  CALL_GIVES(700, cuCtxSynchronize());
}

void testLaunches() {
  about("launches");
  Session session;
  Device<float> out(300, 0);
  void *fill = function("elements", "fill_kernel");
  CALL_GIVES(701, launch(fill, {1, 0, false, nullptr, GROUP + 1}, out.at(), 1.0f, int64_t{300}));
  CALL_GIVES(1, launch(fill, {0}, out.at(), 1.0f, int64_t{300}));
  CALL_GIVES(1, launch(fill, {1, 60000}, out.at(), 1.0f, int64_t{300}));
  CALL(cuFuncSetAttribute(fill, 8, 60000));
  CALL(launch(fill, {1, 60000}, out.at(), 1.0f, int64_t{300}));
  int blocks;
  CALL(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, fill, GROUP, 0));
  compare("blocks of a processor", 0, blocks, 8, 0);
  unsigned most = 8 * static_cast<unsigned>(cudasim::settings().processors);
  CALL_GIVES(720, launch(fill, {most + 1, 0, true}, out.at(), 1.0f, int64_t{300}));
  CALL_GIVES(912, launch(function("cluster-CLUSTER=4", "ring_kernel"), {6}, out.at(), 1, int64_t{0}));
  void *missing;
  CALL_GIVES(200, cuModuleLoadData(&missing, "\x7f" "ELF, a real one"));
  CALL_GIVES(209, cuModuleLoadData(&missing, "UNROLL_CUDASIM nothing\n"));
  void *module;
  CALL(cuModuleLoadData(&module, "UNROLL_CUDASIM elements\n"));
  CALL_GIVES(500, cuModuleGetFunction(&missing, module, "no_kernel"));
  CALL(cuModuleUnload(module));
  CALL_GIVES(400, cuModuleGetFunction(&missing, module, "fill_kernel"));
  CALL_GIVES(801, cuArrayDestroy(nullptr));
}

// Work goes on while the program does, and only what waits is ordered.
void testStreams() {
  about("streams");
  Session session;
  Device<float> x(1000, 0);
  void *one = openStream(1), *two = openStream(1), *event = newEvent(), *fill = function("elements", "fill_kernel");
  letGo = false;
  CALL(cuLaunchHostFunc(one, hold, nullptr));
  CALL(launch(fill, {4, 0, false, one}, x.at(), 2.0f, int64_t{1000}));
  CALL(cuEventRecord(event, one));
  CALL_GIVES(600, cuStreamQuery(one));
  CALL_GIVES(600, cuEventQuery(event));
  CALL(cuStreamSynchronize(two));
  CALL(cuStreamWaitEvent(two, event, 0));
  void *axpby = function("elements", "axpby_kernel");
  CALL(launch(axpby, {4, 0, false, two}, x.at(), x.at(), 3.0f, 0.0f, int64_t{1000}));
  CALL_GIVES(600, cuStreamQuery(two));
  letGo = true;
  CALL(cuStreamSynchronize(two));
  CALL(cuStreamQuery(one));
  CALL(cuEventQuery(event));
  std::vector<float> found = x.read();
  for (int i = 0; i < 1000; i++) compare("x", i, found[static_cast<size_t>(i)], 6, 0);
  CALL(cuStreamDestroy_v2(one));
  CALL_GIVES(400, cuStreamSynchronize(one));
}

// The legacy stream waits for those that block, and they for it; not for the others.
void testLegacyStream() {
  about("the legacy stream");
  Session session;
  Device<float> x(10, 0);
  void *blocking = openStream(0), *free = openStream(1);
  letGo = false;
  CALL(cuLaunchHostFunc(blocking, hold, nullptr));
  CALL(launch(function("elements", "fill_kernel"), {1}, x.at(), 5.0f, int64_t{10}));
  CALL(cuLaunchHostFunc(free, [](void *) {}, nullptr));
  CALL(cuStreamSynchronize(free));
  std::this_thread::sleep_for(std::chrono::milliseconds(30));  // enough for work that does not wait
  CALL_GIVES(600, cuStreamQuery(nullptr));
  letGo = true;
  CALL(cuStreamSynchronize(nullptr));
  compare("x", 0, x.read()[0], 5, 0);
  letGo = false;
  CALL(cuLaunchHostFunc(nullptr, hold, nullptr));
  CALL(launch(function("elements", "fill_kernel"), {1, 0, false, blocking}, x.at(), 6.0f, int64_t{10}));
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  CALL_GIVES(600, cuStreamQuery(blocking));
  letGo = true;
  CALL(cuStreamSynchronize(blocking));
}

// Pinned memory is copied when the stream comes to it; other memory before the call returns.
void testPinned() {
  about("pinned memory");
  Session session;
  void *stream = openStream(1), *memory;
  CALL(cuMemHostAlloc(&memory, 8, 0));
  auto *pinned = static_cast<int *>(memory);
  int pageable = 1;
  pinned[0] = 1;
  Device<int> x(2, 0);
  letGo = false;
  CALL(cuLaunchHostFunc(stream, hold, nullptr));
  CALL(cuMemcpyHtoDAsync_v2(reinterpret_cast<uint64_t>(x.at(0)), pinned, 4, stream));
  CALL(cuMemcpyHtoDAsync_v2(reinterpret_cast<uint64_t>(x.at(1)), &pageable, 4, stream));
  pinned[0] = 2;
  pageable = 2;
  CALL(cuMemcpyDtoHAsync_v2(pinned + 1, reinterpret_cast<uint64_t>(x.at(1)), 4, stream));
  letGo = true;
  CALL(cuStreamSynchronize(stream));
  compare("pinned", 0, x.read()[0], 2, 0);
  compare("pageable", 1, x.read()[1], 1, 0);
  compare("back", 0, pinned[1], 1, 0);
  CALL(cuMemFreeHost(memory));
}

void testTimes() {
  about("times of events");
  Session session;
  void *stream = openStream(1), *start = newEvent(), *stop = newEvent();
  float milliseconds = -1;
  CALL_GIVES(400, cuEventElapsedTime(&milliseconds, start, stop));
  CALL(cuEventRecord(start, stream));
  CALL(cuLaunchHostFunc(stream, [](void *) { std::this_thread::sleep_for(std::chrono::milliseconds(30)); }, nullptr));
  CALL(cuEventRecord(stop, stream));
  CALL_GIVES(600, cuEventElapsedTime(&milliseconds, start, stop));
  CALL(cuEventSynchronize(stop));
  CALL(cuEventElapsedTime(&milliseconds, start, stop));
  if (!(milliseconds >= 30)) fail("30 ms of sleep took %g ms", milliseconds);
}

}  // namespace

void testDriver() {
  testContexts();
  testAllocations();
  testLaunches();
  testStreams();
  testLegacyStream();
  testPinned();
  testTimes();
}

}  // namespace test
}  // namespace unroll

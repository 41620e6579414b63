// A stream is an OS thread that does its work in order while the program goes on.
#include <chrono>
#include <cstdio>

#include "machine.h"

namespace unroll {
namespace cudasim {

namespace {

bool allDone(const std::vector<SignalPointer> &signals) {
  for (const SignalPointer &signal : signals) {
    if (!signal->done) return false;
  }
  return true;
}

// Work on memory that was freed meanwhile is not done.
void carryOutIn(Lock &lock, Context &context, const Work &work) {
  if (context.error != SUCCESS || context.destroyed) return;
  std::string report;
  lock.unlock();
  Result result = carryOut(context, work, report);
  lock.lock();
  if (result == SUCCESS) return;
  std::fprintf(stderr, "cudasim: %s (%s)\n", report.c_str(), nameOf(result));
  if (context.error == SUCCESS) context.error = result;
}

void serve(std::shared_ptr<Stream> stream) {
  Lock lock(machine().mutex);
  for (;;) {
    machine().changed.wait(lock, [&] { return !stream->tasks.empty() || stream->closing; });
    if (stream->tasks.empty()) return;
    machine().changed.wait(lock, [&] { return allDone(stream->tasks.front().after); });
    {
      Stream::Task task = std::move(stream->tasks.front());
      stream->tasks.pop_front();
      carryOutIn(lock, *stream->context, task.work);
      task.done->done = true;
      task.done->seconds = now();
    }
    machine().changed.notify_all();
  }
}

void after(std::vector<SignalPointer> &signals, const SignalPointer &signal) {
  if (signal != nullptr && !signal->done) signals.push_back(signal);
}

}  // namespace

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::shared_ptr<Stream> openStream(Context &context, bool blocking) {
  auto stream = std::make_shared<Stream>();
  stream->context = &context;
  stream->blocking = blocking;
  context.streams.insert(stream);
  machine().handles.insert(stream.get());
  std::thread(serve, stream).detach();
  return stream;
}

// What is queued is still done.
void closeStream(Stream &stream) {
  machine().handles.erase(&stream);
  stream.closing = true;
  machine().changed.notify_all();
  for (auto each = stream.context->streams.begin(); each != stream.context->streams.end(); ++each) {
    if (each->get() != &stream) continue;
    stream.context->streams.erase(each);
    return;
  }
}

SignalPointer enqueue(Stream &stream, Work work) {
  Stream::Task task;
  task.after = std::move(stream.waits);
  stream.waits.clear();
  Context &context = *stream.context;
  if (&stream == context.legacy.get()) {
    for (const auto &other : context.streams) {
      if (other->blocking && other.get() != &stream) after(task.after, other->tail);
    }
  } else if (stream.blocking && context.legacy != nullptr) {
    after(task.after, context.legacy->tail);
  }
  task.work = std::move(work);
  task.done = std::make_shared<Signal>();
  stream.tail = task.done;
  stream.tasks.push_back(std::move(task));
  machine().changed.notify_all();
  return stream.tail;
}

void waitFor(Lock &lock, const SignalPointer &signal) {
  if (signal != nullptr) machine().changed.wait(lock, [&] { return signal->done; });
}

void waitForAll(Lock &lock, Context &context) {
  std::vector<SignalPointer> tails;
  for (const auto &stream : context.streams) after(tails, stream->tail);
  machine().changed.wait(lock, [&] { return allDone(tails); });
}

}  // namespace cudasim
}  // namespace unroll

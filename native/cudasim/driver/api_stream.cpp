// The driver's functions: streams, events, capture.
#include "call.h"

using namespace unroll::cudasim;

namespace {

const unsigned NON_BLOCKING = 1, DISABLE_TIMING = 2;

void open(Call &call, Stream **stream, unsigned flags) {
  if (flags > NON_BLOCKING) refuse(INVALID_VALUE, "flags of a stream are 0 or 1, not %u", flags);
  *checkedPointer(stream, "stream") = openStream(*call.context, flags != NON_BLOCKING).get();
}

void notCaptured(Stream &stream, const char *name) {
  if (stream.capture == nullptr) return;
  stream.capture->invalid = true;
  refuse(STREAM_CAPTURE_UNSUPPORTED, "%s of a stream that is captured", name);
}

void notCaptured(const Event &event) {
  if (event.capture != nullptr && machine().captures.count(event.capture) != 0) {
    event.capture->invalid = true;
    refuse(CAPTURED_EVENT, "the event was recorded in a stream that is captured");
  }
}

bool isUnderway(Capture *capture) { return capture != nullptr && machine().captures.count(capture) != 0; }

void record(Call &call, Event &event, Stream *handle) {
  Stream &stream = checkedStream(call, handle);
  event.capture = stream.capture;
  event.nodes = stream.tips;
  if (stream.capture != nullptr) return;
  event.signal = enqueue(stream, Work());
}

// A stream that waits for an event of a capture becomes part of it.
void join(Stream &stream, Event &event) {
  if (stream.capture != nullptr && stream.capture != event.capture) {
    refuse(STREAM_CAPTURE_MERGE, "the stream is part of another capture");
  }
  if (stream.capture == nullptr) {
    stream.capture = event.capture;
    stream.tips.clear();
    event.capture->streams.insert(&stream);
  }
  stream.tips.insert(stream.tips.end(), event.nodes.begin(), event.nodes.end());
}

// Ends a capture; gives whether all of it comes before the last of its first stream.
bool close(Capture &capture) {
  std::set<const Node *> before;
  std::vector<const Node *> open(capture.origin->tips.begin(), capture.origin->tips.end());
  while (!open.empty()) {
    const Node *node = open.back();
    open.pop_back();
    if (!before.insert(node).second) continue;
    open.insert(open.end(), node->after.begin(), node->after.end());
  }
  bool joined = true;
  for (Stream *stream : capture.streams) {
    for (const Node *tip : stream->tips) joined = joined && before.count(tip) != 0;
    stream->capture = nullptr;
    stream->tips.clear();
  }
  machine().captures.erase(&capture);
  return joined;
}

}  // namespace

API int cuStreamCreate(Stream **stream, unsigned flags) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) { open(call, stream, flags); });
}

API int cuStreamCreateWithPriority(Stream **stream, unsigned flags, int) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) { open(call, stream, flags); });
}

API int cuStreamDestroy_v2(Stream *stream) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    Stream &of = checked(stream, "stream");
    notCaptured(of, "the destruction");
    closeStream(of);
  });
}

API int cuStreamSynchronize(Stream *stream) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    Stream &of = checkedStream(call, stream);
    notCaptured(of, "a synchronization");
    if (&of == call.context->legacy.get()) {
      finishAll(call);
    } else {
      finish(call, of.tail);
    }
  });
}

API int cuStreamQuery(Stream *stream) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    Stream &of = checkedStream(call, stream);
    notCaptured(of, "a query");
    if (of.tail != nullptr && !of.tail->done) throw Refusal{NOT_READY, ""};
  });
}

API int cuStreamWaitEvent(Stream *stream, Event *event, unsigned) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    Stream &of = checkedStream(call, stream);
    Event &until = checked(event, "event");
    if (isUnderway(until.capture)) {
      join(of, until);
    } else if (of.capture != nullptr) {
      of.capture->invalid = true;
      refuse(STREAM_CAPTURE_UNSUPPORTED, "a captured stream waits for an event that is not part of the capture");
    } else if (until.signal != nullptr) {
      of.waits.push_back(until.signal);
    }
  });
}

API int cuStreamGetFlags(Stream *stream, unsigned *flags) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    *checkedPointer(flags, "flags") = checkedStream(call, stream).blocking ? 0 : NON_BLOCKING;
  });
}

API int cuStreamGetPriority(Stream *stream, int *priority) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    checkedStream(call, stream);
    *checkedPointer(priority, "priority") = 0;
  });
}

API int cuStreamGetCtx(Stream *stream, Context **context) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    *checkedPointer(context, "context") = checkedStream(call, stream).context;
  });
}

API int cuStreamBeginCapture_v2(Stream *stream, int mode) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    if (stream == nullptr) refuse(STREAM_CAPTURE_UNSUPPORTED, "the legacy stream cannot be captured");
    Stream &of = checked(stream, "stream");
    if (of.capture != nullptr) refuse(INVALID_VALUE, "the stream is captured already");
    if (mode < 0 || mode > 2) refuse(INVALID_VALUE, "there is no mode %d of capture", mode);
    of.capture = new Capture{new Graph, &of, mode, std::this_thread::get_id(), false, {&of}};
    of.tips.clear();
    machine().captures.insert(of.capture);
  });
}

API int cuStreamEndCapture(Stream *stream, Graph **graph) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    Stream &of = checked(stream, "stream");
    *checkedPointer(graph, "graph") = nullptr;
    if (of.capture == nullptr) throw Refusal{INVALID_VALUE, "the stream is not captured"};
    if (of.capture->origin != stream) refuse(STREAM_CAPTURE_UNMATCHED, "the capture began in another stream");
    if (of.capture->mode != 2 && of.capture->thread != std::this_thread::get_id()) {
      refuse(STREAM_CAPTURE_WRONG_THREAD, "the capture began in another thread");
    }
    std::unique_ptr<Capture> ended(of.capture);
    std::unique_ptr<Graph> made(ended->graph);
    bool joined = close(*ended);
    if (ended->invalid) refuse(STREAM_CAPTURE_INVALIDATED, "the capture has failed before");
    if (!joined) refuse(STREAM_CAPTURE_UNJOINED, "the stream has not waited for all that was captured");
    machine().handles.insert(made.get());
    for (const auto &node : made->nodes) machine().handles.insert(node.get());
    *graph = made.release();
  });
}

API int cuStreamIsCapturing(Stream *stream, int *status) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    Capture *capture = stream == nullptr ? nullptr : checked(stream, "stream").capture;
    *checkedPointer(status, "status") = capture == nullptr ? 0 : capture->invalid ? 2 : 1;
  });
}

API int cuEventCreate(Event **event, unsigned flags) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    auto *made = new Event{(flags & DISABLE_TIMING) == 0, nullptr, nullptr, {}};
    machine().handles.insert(made);
    *checkedPointer(event, "event") = made;
  });
}

API int cuEventDestroy_v2(Event *event) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    Event &of = checked(event, "event");
    machine().handles.erase(&of);
    delete &of;
  });
}

API int cuEventRecord(Event *event, Stream *stream) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) { record(call, checked(event, "event"), stream); });
}
API int cuEventRecordWithFlags(Event *event, Stream *stream, unsigned) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) { record(call, checked(event, "event"), stream); });
}

API int cuEventQuery(Event *event) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    Event &of = checked(event, "event");
    notCaptured(of);
    if (of.signal != nullptr && !of.signal->done) throw Refusal{NOT_READY, ""};
  });
}

API int cuEventSynchronize(Event *event) {
  return call(__func__, Needs::CONTEXT, [&](Call &call) {
    Event &of = checked(event, "event");
    notCaptured(of);
    finish(call, of.signal);
  });
}

API int cuEventElapsedTime(float *milliseconds, Event *start, Event *stop) {
  return call(__func__, Needs::CONTEXT, [&](Call &) {
    Event &from = checked(start, "event"), &to = checked(stop, "event");
    if (!from.timed || !to.timed || from.signal == nullptr || to.signal == nullptr) {
      refuse(INVALID_HANDLE, "an event was not recorded, or takes no time");
    }
    if (!from.signal->done || !to.signal->done) throw Refusal{NOT_READY, ""};
    double seconds = to.signal->seconds - from.signal->seconds;
    *checkedPointer(milliseconds, "milliseconds") = static_cast<float>(seconds * 1e3);
  });
}

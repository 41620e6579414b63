package io.unroll.device.cuda;

import jcuda.driver.CUstream;

/**
 * What another library queues on the stream. It is one object for the life of a backend; what it is
 * to do stands in numbers, so that the same numbers mean the same work, and a graph that holds it
 * need not ask again.
 */
interface ForeignWork {
  /** For messages and profiles. */
  String name();

  /**
   * Queues it, and nothing that waits or takes memory: the stream may be captured.
   *
   * @param words what {@link CommandStream#foreign} was given, from here on
   * @throws io.unroll.DeviceException if the library refuses
   */
  void issue(CUstream stream, long[] words, int from);
}

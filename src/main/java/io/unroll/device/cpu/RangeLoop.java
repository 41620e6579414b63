package io.unroll.device.cpu;

import io.unroll.device.KernelArgs;

/** A kernel as a function over a range of its items. */
interface RangeLoop {
  /** Runs items from..to. Other ranges of the same launch may run at the same time. */
  void run(KernelArgs args, int from, int to, Scratch scratch);

  /** About how many nanoseconds an item takes; decides how many threads a launch is worth. */
  interface Cost {
    /** The cost of one item of a launch with these arguments. */
    long ofItem(KernelArgs args);
  }
}

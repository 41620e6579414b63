package io.unroll.device.cpu;

import io.unroll.device.KernelArgs;

/** Cuts the items of a launch over the threads. */
final class Launcher implements WorkerPool.Task {
  /** Nanoseconds of work below which waking another thread does not pay. */
  private static final long WORTH_A_THREAD = 10_000;

  /** Parts begin at multiples of so many items, where they are long: no shared cache lines. */
  private static final int LINE = 16;

  private final WorkerPool pool;
  private final Scratch[] scratches;
  private RangeLoop loop;
  private KernelArgs args;
  private int items;
  private int chunk;

  Launcher(WorkerPool pool, Scratch[] scratches) {
    this.pool = pool;
    this.scratches = scratches;
  }

  /** Runs all items. */
  void run(JavaKernel kernel, long items, KernelArgs args) {
    if (items == 0) {
      return;
    }
    this.items = Math.toIntExact(items);
    this.args = args;
    loop = kernel.loop();
    long cost = items * kernel.cost().ofItem(args);
    int wanted = (int) Math.min(pool.threads(), Math.min(items, 1 + cost / WORTH_A_THREAD));
    chunk = (this.items - 1) / wanted + 1;
    if (chunk > LINE * LINE) {
      chunk = (chunk + LINE - 1) / LINE * LINE;
    }
    pool.run((this.items - 1) / chunk + 1, this);
    this.args = null;
  }

  @Override
  public void run(int part, int worker) {
    int from = part * chunk;
    int to = (int) Math.min(items, (long) from + chunk);
    loop.run(args, from, to, scratches[worker]);
  }
}

package io.unroll.device.cuda;

import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import java.util.function.DoubleUnaryOperator;
import jcuda.driver.CUgraphExec;

/** What it costs that groups, or one launch and the next, wait for one another. */
final class HandoffCeilings {
  /** Words that a group hands to all others in a step, as in {@code ceilings.h}. */
  static final int PUBLISHED = 8;

  private static final int GROUP = MeasuringStream.GROUP;
  private static final double MICRO = 1e6;
  private static final double NANO = 1e9;

  private final Ceilings all;
  private final int steps;

  HandoffCeilings(Ceilings all) {
    this.all = all;
    steps = all.size().steps();
  }

  void run() {
    all.row("block_barrier", GROUP + " lanes", "ns", this::blockBarrier);
    all.forBlocks("grid_sync", n -> all.row("grid_sync", n + " blocks", "us", () -> gridSync(n)));
    all.forBlocks(
        "flag_in_data", n -> all.row("flag_in_data", n + " blocks", "us", () -> words(n)));
    all.forBlocks("flags", n -> all.row("flags", n + " blocks", "us", () -> flags(n)));
    all.row("kernel_boundary", "launches", "us", () -> boundary(false));
    all.row("kernel_boundary", "graph", "us", () -> boundary(true));
  }

  private static DoubleUnaryOperator each(int steps, double unit) {
    return seconds -> seconds / steps * unit;
  }

  private Ceilings.Run blockBarrier() {
    int groups = all.hardware().units();
    DeviceBuffer out = all.take(ElementType.INT, (long) groups * GROUP, "words");
    MeasuringStream.Launch kernel =
        all.launch("barrier", groups, false, Ceilings.address(out), all.stale(), (long) steps);
    int[] expected = Expected.ring(groups, GROUP, steps);
    return new Ceilings.Run(
        () -> all.stream().launch(kernel), () -> all.requireAll(out, expected), each(steps, NANO));
  }

  private Ceilings.Run gridSync(int groups) {
    DeviceBuffer sides = all.take(ElementType.INT, 2L * groups, "two sides");
    DeviceBuffer out = all.take(ElementType.INT, groups, "words");
    MeasuringStream.Launch kernel =
        all.launch(
            "grid",
            groups,
            true,
            Ceilings.address(sides),
            Ceilings.address(out),
            all.stale(),
            (long) steps);
    int[] expected = Expected.ring(1, groups, steps);
    return new Ceilings.Run(
        () -> all.stream().launch(kernel), () -> all.requireAll(out, expected), each(steps, MICRO));
  }

  /** Every run counts its steps on, so that no word of the run before is taken for one of it. */
  private Ceilings.Run words(int groups) {
    DeviceBuffer words = all.take(ElementType.INT, 2L * 2 * PUBLISHED * groups, "words and steps");
    DeviceBuffer out = all.take(ElementType.INT, (long) groups * GROUP, "sums");
    long slot = all.watch().slot("words", "a word");
    int[] first = {1};
    Runnable work =
        () -> {
          all.stream()
              .launch(
                  all.launch(
                      "words",
                      groups,
                      true,
                      Ceilings.address(words),
                      Ceilings.address(out),
                      slot,
                      first[0],
                      all.early(),
                      (long) steps));
          first[0] += steps;
        };
    return published(groups, out, work);
  }

  private Ceilings.Run flags(int groups) {
    DeviceBuffer words = all.take(ElementType.INT, 2L * PUBLISHED * groups, "words");
    DeviceBuffer flags = all.take(ElementType.INT, groups, "flags");
    DeviceBuffer out = all.take(ElementType.INT, (long) groups * GROUP, "sums");
    long slot = all.watch().slot("flags", "a word", "the flag of a group");
    int[] first = {1};
    Runnable work =
        () -> {
          all.stream()
              .launch(
                  all.launch(
                      "flags",
                      groups,
                      true,
                      Ceilings.address(words),
                      Ceilings.address(flags),
                      Ceilings.address(out),
                      slot,
                      first[0],
                      all.early(),
                      (long) steps));
          first[0] += steps;
        };
    return published(groups, out, work);
  }

  private Ceilings.Run published(int groups, DeviceBuffer out, Runnable work) {
    int[] expected = Expected.published(groups, GROUP, PUBLISHED, steps);
    return new Ceilings.Run(work, () -> all.requireAll(out, expected), each(steps, MICRO));
  }

  /** Launches that each read what the one before has written, one group on each processor. */
  private Ceilings.Run boundary(boolean inGraph) {
    int launches = all.size().launches();
    int groups = all.hardware().units();
    int items = groups * GROUP;
    DeviceBuffer even = all.counting(items, "one side");
    DeviceBuffer odd = all.take(ElementType.INT, items, "other side");
    MeasuringStream.Launch[] there = new MeasuringStream.Launch[2];
    for (int i = 0; i < 2; i++) {
      DeviceBuffer from = (i + all.stale()) % 2 == 0 ? even : odd;
      there[i] =
          all.launch(
              "boundary",
              groups,
              false,
              Ceilings.address(from),
              Ceilings.address(i == 0 ? odd : even),
              (long) items);
    }
    Runnable plain =
        () -> {
          for (int i = 0; i < launches; i++) {
            all.stream().launch(there[i % 2]);
          }
        };
    long[] done = {0};
    CUgraphExec graph = inGraph ? all.capture(plain) : null;
    Runnable work =
        () -> {
          if (inGraph) {
            all.stream().launch(graph);
          } else {
            plain.run();
          }
          done[0] += launches;
        };
    return new Ceilings.Run(
        work, () -> all.requireAll(even, Expected.ring(1, items, done[0])), each(launches, MICRO));
  }
}

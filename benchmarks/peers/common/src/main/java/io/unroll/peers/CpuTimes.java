package io.unroll.peers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * How much processor time the whole machine and this process have used, as Linux counts it.
 *
 * @param all ticks of 10 ms that the cores were busy since the machine started
 * @param own ticks of this process
 * @param nanos when that was
 */
record CpuTimes(long all, long own, long nanos) {
  private static final double TICK = 0.01;
  private static final double NANOS = 1e9;

  /** The times now, all 0 on a system that does not tell. */
  static CpuTimes now() {
    try {
      String[] machine = Files.readAllLines(Path.of("/proc/stat")).get(0).trim().split(" +");
      String process = Files.readString(Path.of("/proc/self/stat"));
      String[] own = process.substring(process.lastIndexOf(')') + 2).split(" ");
      long busy = 0;
      for (int field : new int[] {1, 2, 3, 6, 7, 8}) {
        busy += Long.parseLong(machine[field]);
      }
      long used = Long.parseLong(own[11]) + Long.parseLong(own[12]);
      return new CpuTimes(busy, used, System.nanoTime());
    } catch (IOException e) {
      return new CpuTimes(0, 0, System.nanoTime());
    }
  }

  /** The mean number of cores that other processes have kept busy. */
  double othersSince(CpuTimes before) {
    double ticks = (all - before.all) - (own - before.own);
    return Math.max(0, ticks * TICK / ((nanos - before.nanos) / NANOS));
  }
}

package io.unroll.device.cuda;

import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceCeilings.Outcome;
import io.unroll.device.ElementType;
import io.unroll.device.GpuEntry;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.JCudaDriver;

/** What groups of a cluster can do, for one size of clusters. */
final class ClusterCeilings {
  /** Larger ones are not promised to run on every device that has clusters. */
  private static final int PORTABLE = 8;

  /** Devices have clusters from this compute capability on. */
  private static final int FIRST = 9;

  /** As in {@code clusters.h}. */
  private static final int VECTORS = 4;

  private static final int VECTOR_BYTES = 16;
  private static final int GROUP = MeasuringStream.GROUP;
  private static final double NANO = 1e9;
  private static final double GIGA = 1e9;
  private static final List<String> ROWS =
      List.of("cluster_launch", "cluster_sync", "st_async", "dsmem_store", "dsmem_load");

  private final Ceilings all;
  private final int cluster;
  private final String variant;

  ClusterCeilings(Ceilings all, int cluster) {
    this.all = all;
    this.cluster = cluster;
    variant = "clusters of " + cluster;
  }

  void run() {
    String why = refusal();
    int begin = 0;
    if (why == null) {
      begin = 1;
      if (all.row(ROWS.get(0), variant, "", this::start) != Outcome.PASSED) {
        why = "a kernel with clusters of " + cluster + " does not start here";
      }
    }
    if (why != null) {
      for (String name : ROWS.subList(begin, ROWS.size())) {
        all.notRun(name, variant, why);
      }
      return;
    }
    all.row("cluster_sync", variant, "ns", () -> exchange(false));
    all.row("st_async", variant, "ns", () -> exchange(true));
    all.row("dsmem_store", variant, "GB/s", () -> move("store"));
    all.row("dsmem_load", variant, "GB/s", () -> move("load"));
  }

  private String refusal() {
    if (all.hardware().major() < FIRST) {
      return "clusters need sm_90, the device is older";
    }
    GpuEntry entry =
        new GpuEntry(List.of("cuda/clusters.h"), "rank_kernel", Map.of("CLUSTER", cluster));
    return all.device().has(entry)
        ? null
        : "this build has no kernels with clusters; -Dunroll.cuda.targets=all has";
  }

  /** A launch of these kernels, allowed to have such clusters. */
  private MeasuringStream.Launch launch(String entry, int groups, Object... values) {
    MeasuringStream.Launch launch = all.clustered(cluster, entry, groups, values);
    if (cluster > PORTABLE) {
      ReturnCode.require(
          JCudaDriver.cuFuncSetAttribute(
              launch.kernel(),
              CUfunction_attribute.CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED,
              1),
          "cuFuncSetAttribute for clusters of " + cluster);
    }
    return launch;
  }

  /** Whether {@code __cluster_dims__} is heeded by cuLaunchKernel, which knows no clusters. */
  private Ceilings.Run start() {
    int groups = 2 * cluster;
    DeviceBuffer out = all.take(ElementType.INT, groups, "ranks");
    MeasuringStream.Launch kernel = launch("rank", groups, Ceilings.address(out), (long) groups);
    int[] expected = new int[groups];
    Arrays.setAll(expected, i -> i % cluster + 100 * cluster);
    return new Ceilings.Run(
        () -> all.stream().launch(kernel), () -> all.requireAll(out, expected), null);
  }

  /** One cluster, in which every lane hands a word to another in every step. */
  private Ceilings.Run exchange(boolean async) {
    int steps = all.size().steps();
    DeviceBuffer out = all.take(ElementType.INT, (long) cluster * GROUP, "words");
    long address = Ceilings.address(out);
    MeasuringStream.Launch kernel =
        async
            ? launch(
                "async",
                cluster,
                address,
                all.watch().slot("async", "the words that an mbarrier counts"),
                all.early(),
                (long) steps)
            : launch("sync", cluster, address, all.stale(), (long) steps);
    int[] expected = Expected.exchanged(cluster, GROUP, steps);
    return new Ceilings.Run(
        () -> all.stream().launch(kernel),
        () -> all.requireAll(out, expected),
        seconds -> seconds / steps * NANO);
  }

  /** As many clusters as keep the device busy. */
  private Ceilings.Run move(String entry) {
    int steps = all.size().steps();
    int clusters = Math.max(1, all.size().crowd() * all.hardware().units() / cluster);
    int groups = clusters * cluster;
    DeviceBuffer out = all.take(ElementType.INT, (long) groups * GROUP, "sums");
    MeasuringStream.Launch kernel =
        launch(entry, groups, Ceilings.address(out), all.stale(), (long) steps);
    int[] expected = Expected.moved(cluster, groups, GROUP, VECTORS, entry.equals("load"), steps);
    double bytes = (double) groups * GROUP * VECTORS * VECTOR_BYTES * steps;
    return new Ceilings.Run(
        () -> all.stream().launch(kernel),
        () -> all.requireAll(out, expected),
        seconds -> bytes / Math.max(seconds, 1e-9) / GIGA);
  }
}

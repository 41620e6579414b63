package io.unroll.device.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.DeviceException;
import io.unroll.device.DeviceCeilings.Outcome;
import io.unroll.device.DeviceCeilings.Row;
import io.unroll.device.GpuEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class CeilingsTest {
  private static final long LONG_WAIT = 60_000_000_000L;
  private static final long SHORT_WAIT = 200_000_000L;

  /** Rows that ask and compute nothing of their own. */
  private static final Set<String> NO_DATA = Set.of("reported", "cluster_launch");

  /** Rows whose groups wait by flags, and can give up. */
  private static final Set<String> WATCHED = Set.of("flag_in_data", "flags", "st_async");

  private static List<Row> measure(Ceilings.Fault fault, long waitNanos) {
    Hardware hardware = Devices.first();
    List<Row> rows = new ArrayList<>();
    try (CudaDevice device = new CudaDevice("cuda:0", hardware)) {
      new Ceilings(device, hardware, fault, waitNanos).measure(0, name -> true, rows::add);
      assertEquals(0, device.liveBytes());
      device.synchronize();
    }
    return rows;
  }

  private static boolean isTried(Row row) {
    return row.outcome() != Outcome.NOT_RUN && !NO_DATA.contains(row.name());
  }

  @Test
  void everyRowIsRightOrSaysWhyNot() {
    List<Row> rows = measure(Ceilings.Fault.NONE, LONG_WAIT);
    for (Row row : rows) {
      switch (row.outcome()) {
        case MEASURED -> {
          assertNull(row.why(), row::toString);
          assertTrue(row.figures().get(0) >= 0, row::toString);
          assertEquals(row.figures().stream().sorted().toList(), row.figures());
        }
        case PASSED -> assertTrue(row.figures().isEmpty(), row::toString);
        case NOT_RUN -> assertTrue(row.why().length() > 10, row::toString);
        case FAILED -> throw new AssertionError(row.toString());
      }
    }
    assertEquals(
        Set.of(
            "reported copy read fma mma fragments gemm block_barrier grid_sync flag_in_data flags"
                .split(" ")),
        rows.stream().map(Row::name).limit(firstBoundary(rows)).collect(Collectors.toSet()));
    assertEquals(
        new TreeSet<>(
            Set.of("cluster_launch", "cluster_sync", "dsmem_load", "dsmem_store", "st_async")),
        rows.stream()
            .filter(row -> row.variant().equals("clusters of 16"))
            .map(Row::name)
            .collect(Collectors.toCollection(TreeSet::new)));
  }

  @Test
  void rowsThatNobodyWantsAreLeftOut() {
    Hardware hardware = Devices.first();
    List<Row> rows = new ArrayList<>();
    try (CudaDevice device = new CudaDevice("cuda:0", hardware)) {
      new Ceilings(device, hardware).measure(0, Set.of("gemm", "st_async")::contains, rows::add);
      device.synchronize();
    }
    assertEquals(
        Set.of("gemm", "st_async"), rows.stream().map(Row::name).collect(Collectors.toSet()));
    assertEquals(5, rows.size(), rows::toString);
    assertTrue(rows.stream().noneMatch(row -> row.outcome() == Outcome.FAILED), rows::toString);
  }

  private static int firstBoundary(List<Row> rows) {
    return rows.stream().map(Row::name).toList().indexOf("kernel_boundary");
  }

  /** On a simulated device all can be tried but more blocks than it has processors. */
  @Test
  void aSimulatedDeviceTriesAllKinds() {
    org.junit.jupiter.api.Assumptions.assumeTrue(Devices.first().isSimulated(), "a real device");
    for (Row row : measure(Ceilings.Fault.NONE, LONG_WAIT)) {
      assertTrue(
          row.outcome() != Outcome.NOT_RUN || row.why().contains("processors"), row::toString);
    }
  }

  /** What was there before is taken for what is handed over: every row must see that. */
  @Test
  void whatIsStaleIsSeen() {
    for (Row row : measure(Ceilings.Fault.STALE, LONG_WAIT)) {
      if (isTried(row)) {
        assertEquals(Outcome.FAILED, row.outcome(), row::toString);
        assertTrue(row.why().startsWith("wrong result: element "), row::toString);
      }
    }
  }

  /** A wait for what never comes ends, and says which. */
  @Test
  void waitsEndAndSayForWhat() {
    Map<String, String> waitedFor =
        Map.of(
            "flag_in_data", "kernel words gave up after 0.2 s: its group ",
            "flags", "kernel flags gave up after 0.2 s: its group ",
            "st_async", "kernel async gave up after 0.2 s: its group ");
    Map<String, String> what =
        Map.of(
            "flag_in_data", " waited for a word of step ",
            "flags", " waited for the flag of a group of step ",
            "st_async", " waited for the words that an mbarrier counts of step ");
    int found = 0;
    for (Row row : measure(Ceilings.Fault.NEVER, SHORT_WAIT)) {
      if (WATCHED.contains(row.name()) && row.outcome() != Outcome.NOT_RUN) {
        found++;
        assertEquals(Outcome.FAILED, row.outcome(), row::toString);
        assertTrue(row.why().startsWith(waitedFor.get(row.name())), row::toString);
        assertTrue(row.why().contains(what.get(row.name())), row::toString);
      }
    }
    assertTrue(found >= 2, "rows that can give up: " + found);
  }

  @Test
  void moreGroupsThanRunAtOnceAreRefusedInWords() {
    Hardware hardware = Devices.first();
    try (CudaDevice device = new CudaDevice("cuda:0", hardware)) {
      GpuEntry entry = new GpuEntry(List.of("cuda/ceilings.h"), "grid_kernel", Map.of());
      CudaKernel kernel = (CudaKernel) device.entry(entry);
      int each = Occupancy.ofProcessor(kernel.handle(), 256, 0);
      int most = each * hardware.units();
      Occupancy.requireTogether(kernel.handle(), "grid", most, 256, 0, hardware);
      String message =
          assertThrows(
                  DeviceException.class,
                  () ->
                      Occupancy.requireTogether(
                          kernel.handle(), "grid", most + 1, 256, 0, hardware))
              .getMessage();
      assertTrue(
          message.startsWith("grid needs " + (most + 1) + " groups of 256 lanes at once"), message);
      assertTrue(message.contains(each + " on each of " + hardware.units()), message);
      assertTrue(message.endsWith("Take at most " + most + " groups"), message);
      device.synchronize();
    }
  }
}

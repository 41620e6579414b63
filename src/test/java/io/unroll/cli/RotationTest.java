package io.unroll.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import io.unroll.Backend;
import io.unroll.device.Device;
import io.unroll.device.DeviceBuffer;
import io.unroll.device.DeviceTimer;
import io.unroll.device.ElementType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class RotationTest {
  private static final int EACH = 400;

  private final Backend backend = Backend.open("reference");
  private final List<String> done = new ArrayList<>();
  private int made;
  private int failing = -1;

  @AfterEach
  void leavesNothingBehind() {
    assertEquals(0, backend.liveBytes());
    backend.close();
  }

  /** Holds bytes of the device, and writes down what it is asked. */
  private final class Held implements Workload {
    private final int number = made++;
    private final DeviceBuffer memory =
        Device.of(backend).allocate(ElementType.REAL, EACH / Double.BYTES, "held");

    @Override
    public void prepare() {
      done.add("prepare " + number);
    }

    @Override
    public void work() {
      if (number == failing) {
        throw new WorkFailedException("no");
      }
      done.add("work " + number);
    }

    @Override
    public void requireFinite() {
      done.add("look at " + number);
    }

    @Override
    public void close() {
      memory.close();
    }
  }

  private record Clock(long beyondCaches, long freeBytes) implements DeviceTimer {
    @Override
    public void start() {
      // Nobody looks at the time.
    }

    @Override
    public double stop() {
      return 1;
    }

    @Override
    public void emptyCaches() {
      throw new AssertionError("the caches were emptied");
    }

    @Override
    public void useGraphs(boolean allowed) {
      throw new AssertionError("graphs were switched");
    }

    @Override
    public void close() {
      // Nothing is held.
    }
  }

  private String refusal(long beyondCaches, long freeBytes, int expected) {
    try (Held first = new Held();
        Rotation rotation =
            new Rotation(backend, new Clock(beyondCaches, freeBytes), first, Held::new)) {
      assertEquals(expected, rotation.size());
      assertEquals((long) expected * EACH, backend.liveBytes());
      return rotation.refusal();
    }
  }

  @Test
  void eachIsPreparedWhileOthersRun() {
    try (Held first = new Held();
        Rotation four = new Rotation(backend, new Clock(3 * EACH, 1 << 20), first, Held::new)) {
      assertEquals(List.of("prepare 0", "prepare 1"), done.subList(6, done.size()));
      done.clear();
      for (int i = 0; i < 5; i++) {
        assertEquals(1, four.run());
      }
      four.requireFinite();
    }
    assertEquals(
        List.of(
            "prepare 2",
            "work 0",
            "prepare 3",
            "work 1",
            "prepare 0",
            "work 2",
            "prepare 1",
            "work 3",
            "prepare 2",
            "work 0",
            "look at 0"),
        done);
  }

  @Test
  void takesAsManyAsExceedTheCaches() {
    assertNull(refusal(0, 1 << 20, 2));
    assertNull(refusal(2 * EACH - 1, 1 << 20, 2));
    assertNull(refusal(2 * EACH, 1 << 20, 3));
    assertNull(refusal(64 * EACH - 1, 1 << 20, 64));
    assertNull(refusal(2 * EACH, 4 * 3 * EACH, 3));
  }

  @Test
  void thereAreNoneWhereTooManyOrTooMuchMemoryWouldBeNeeded() {
    assertTrue(refusal(64 * EACH, 1 << 20, 1).contains("64 networks of 400 bytes"));
    assertTrue(refusal(2 * EACH, 4 * 3 * EACH - 4, 1).contains("1,199 at most"));
    made = 0;
    assertTrue(refusal(2 * EACH, 4 * 2 * EACH - 4, 1).contains("two networks might need more"));
    assertEquals(1, made, "another one was made, though there may be no room");
  }

  @Test
  void whatFailsLeavesNoneBehind() {
    failing = 2;
    try (Held first = new Held()) {
      Clock clock = new Clock(3 * EACH, 1 << 20);
      assertThrows(WorkFailedException.class, () -> new Rotation(backend, clock, first, Held::new));
      assertEquals(EACH, backend.liveBytes());
    }
  }

  /**
   * Of the simulated device, caches hold 4 MiB: about ten networks of the larger shape exceed twice
   * that.
   */
  @ParameterizedTest
  @MethodSource("io.unroll.RequiredBackendsTest#available")
  void whoHasAClockOfItsOwnTellsIt(String device) {
    boolean hasClock;
    boolean small;
    try (Backend other = Backend.open(device);
        DeviceTimer timer = Device.of(other).timer().timer()) {
      hasClock = timer != null;
      small = hasClock && timer.beyondCaches() <= 16 << 20;
    }
    JsonObject line = bench(device, "4,4,64,128");
    assertEquals(hasClock, line.has("plain_ms"), line::toString);
    if (small) {
      assertTrue(line.get("rotating_ms").getAsDouble() >= 0, line::toString);
      assertNotNull(line.get("rotating_p25"), line::toString);
      assertNotNull(line.get("rotating_p75"), line::toString);
    }
    assertFalse(bench(device, "3,2,5,7").has("rotating_ms"), "64 of them fit in a cache");
  }

  /** What the timer writes to empty caches counts to none, though it stays from case to case. */
  @ParameterizedTest
  @MethodSource("io.unroll.RequiredBackendsTest#available")
  void memoryIsThatOfTheCaseAlone(String device, @TempDir Path folder) throws IOException {
    Path grid = Files.writeString(folder.resolve("grid.txt"), "tanh 3,2,5,7 4,2,5,7\n");
    String out =
        CommandRun.of("bench", "--device", device, "--seconds=0", "--grid", grid).succeeded().out();
    List<Double> megabytes =
        out.lines()
            .map(line -> JsonParser.parseString(line).getAsJsonObject())
            .map(line -> line.get("memory_mb").getAsDouble())
            .toList();
    assertEquals(4, megabytes.size());
    assertTrue(megabytes.stream().allMatch(each -> each > 0 && each < 1), megabytes::toString);
  }

  private static JsonObject bench(String device, String shape) {
    String out =
        CommandRun.of("bench", "--device", device, "--seconds=0", "--shape=" + shape, "--json")
            .succeeded()
            .out();
    return JsonParser.parseString(out).getAsJsonObject();
  }
}

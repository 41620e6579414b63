package io.unroll.device.opencl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.device.DeviceBuffer;
import io.unroll.device.ElementType;
import io.unroll.device.Kernel;
import io.unroll.device.KernelArgs;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The cache of programs with a driver behind it. */
class BuiltProgramsTest {
  @TempDir Path folder;

  @BeforeEach
  void moveTheCache() {
    System.setProperty(ProgramCache.PROPERTY, folder.toString());
  }

  @AfterEach
  void moveItBack() {
    System.clearProperty(ProgramCache.PROPERTY);
  }

  /** Builds one program and runs it. */
  private static void run() {
    try (OpenClDevice device = new OpenClDevice("opencl:0", Devices.first());
        DeviceBuffer x = device.allocate(ElementType.REAL, 3, "x")) {
      device.copyIn(new float[] {-1, 0, 2}, 0, x, 0, 3);
      KernelArgs args = new KernelArgs().buffer(x, 0).buffer(x, 0);
      device.launch(device.compile(Kernel.RELU_FORWARD, null), 3, args);
      float[] y = new float[3];
      device.copyOut(x, 0, y, 0, 3);
      assertEquals(List.of(0f, 0f, 2f), List.of(y[0], y[1], y[2]));
    }
  }

  private Path file() throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      List<Path> all = files.toList();
      assertEquals(1, all.size(), all::toString);
      return all.get(0);
    }
  }

  /** Changes whenever a program is written again; null where the file system has none. */
  private Object identity() throws IOException {
    return Files.readAttributes(file(), BasicFileAttributes.class).fileKey();
  }

  @Test
  void aProgramIsBuiltOnce() throws IOException {
    run();
    Object first = identity();
    run();
    assertEquals(first, identity(), "it was built again");
  }

  /** Whole, but of another driver. */
  @Test
  void aBinaryThatTheDriverRefusesIsBuiltAgain() throws IOException {
    run();
    Path file = file();
    byte[] good = Files.readAllBytes(file);
    String key = file.getFileName().toString().replace(".bin", "");
    new ProgramCache(folder, 1 << 20).store(key, new byte[] {1, 2, 3, 4});
    assertNotEquals(good.length, Files.size(file));
    run();
    assertTrue(Files.size(file) > 100, "the refused binary is still there");
  }

  @Test
  void aDamagedBinaryIsBuiltAgain() throws IOException {
    run();
    Path file = file();
    byte[] content = Files.readAllBytes(file);
    content[content.length / 2] ^= 1;
    Files.write(file, content);
    run();
    assertFalse(Arrays.equals(content, Files.readAllBytes(file())), "it was not built again");
    Object rebuilt = identity();
    run();
    assertEquals(rebuilt, identity(), "what was built again is damaged as well");
  }

  @Test
  void offKeepsNothing() throws IOException {
    System.setProperty(ProgramCache.PROPERTY, "off");
    run();
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(0, files.count());
    }
  }
}

package io.unroll.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.FileFormatException;
import io.unroll.ShapeException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsTest {
  /** Past one chunk of 2^18 bytes for every type, and odd. */
  private static final int PAST_A_CHUNK = 100_003;

  @TempDir Path folder;

  @Test
  void writtenTensorsComeBackBitByBit() throws IOException {
    Random random = new Random(1);
    float[] floats = new float[PAST_A_CHUNK];
    double[] doubles = new double[PAST_A_CHUNK];
    long[] longs = new long[PAST_A_CHUNK];
    int[] ints = new int[PAST_A_CHUNK];
    for (int i = 0; i < PAST_A_CHUNK; i++) {
      floats[i] = (float) random.nextGaussian();
      doubles[i] = random.nextGaussian();
      longs[i] = random.nextLong();
      ints[i] = random.nextInt();
    }
    floats[3] = Float.NaN;
    floats[4] = -0f;
    doubles[5] = Double.NEGATIVE_INFINITY;
    Path file = folder.resolve("all.safetensors");
    Safetensors.builder()
        .put("f", floats, PAST_A_CHUNK)
        .put("d", doubles, 1, PAST_A_CHUNK, 1)
        .put("l", longs, PAST_A_CHUNK)
        .put("i", ints, PAST_A_CHUNK)
        .put("scalar", new double[] {2.5})
        .put("empty", new float[0], 3, 0)
        .writeTo(file);
    try (Safetensors read = Safetensors.read(file)) {
      assertEquals(List.of("f", "d", "l", "i", "scalar", "empty"), List.copyOf(read.names()));
      assertArrayEquals(floats, read.floats("f"));
      assertEquals(Float.floatToRawIntBits(-0f), Float.floatToRawIntBits(read.floats("f")[4]));
      assertArrayEquals(doubles, read.doubles("d"));
      assertArrayEquals(longs, read.longs("l"));
      assertArrayEquals(ints, read.ints("i"));
      assertArrayEquals(IntStream.of(ints).asLongStream().toArray(), read.longs("i"));
      assertArrayEquals(new double[] {2.5}, read.doubles("scalar"));
      assertArrayEquals(new long[0], read.shape("scalar"));
      assertArrayEquals(new long[] {3, 0}, read.shape("empty"));
      assertEquals(0, read.floats("empty").length);
      assertEquals(Dtype.F64, read.dtype("d"));
      assertArrayEquals(new long[] {1, PAST_A_CHUNK, 1}, read.shape("d"));
      assertEquals((double) floats[77_777], read.doubles("f")[77_777]);
      assertEquals((float) doubles[77_777], read.floats("d")[77_777]);
    }
  }

  @Test
  void shapeHandedOutIsACopy() throws IOException {
    Path file = folder.resolve("f.safetensors");
    long[] shape = {2};
    SafetensorsBuilder builder = Safetensors.builder().put("x", new int[2], shape);
    shape[0] = 7;
    builder.writeTo(file);
    try (Safetensors read = Safetensors.read(file)) {
      read.shape("x")[0] = 9;
      assertArrayEquals(new long[] {2}, read.shape("x"));
    }
  }

  @Test
  void narrowTypesWiden() throws IOException {
    ByteBuffer half = ByteBuffer.allocate(18).order(ByteOrder.LITTLE_ENDIAN);
    // 1, -2, largest, smallest normal, smallest subnormal, largest subnormal, inf, -0, NaN
    for (int bits :
        new int[] {0x3C00, 0xC000, 0x7BFF, 0x0400, 0x0001, 0x03FF, 0x7C00, 0x8000, 0x7E01}) {
      half.putShort((short) bits);
    }
    float[] widened = {
      1, -2, 65504, 0x1p-14f, 0x1p-24f, 1023 * 0x1p-24f, Float.POSITIVE_INFINITY, -0f, Float.NaN
    };
    Path file = SafetensorsBytes.write(folder, "F16", "[9]", half.array());
    try (Safetensors read = Safetensors.read(file)) {
      float[] found = read.floats("x");
      assertArrayEquals(widened, found);
      assertEquals(Float.floatToRawIntBits(-0f), Float.floatToRawIntBits(found[7]));
      assertEquals(0x1p-24, read.doubles("x")[4]);
    }
    byte[] brain = {(byte) 0x80, 0x3F, 0x49, (byte) 0xC0, (byte) 0x80, (byte) 0xFF};
    file = SafetensorsBytes.write(folder, "BF16", "[3]", brain);
    try (Safetensors read = Safetensors.read(file)) {
      assertArrayEquals(new float[] {1, -3.140625f, Float.NEGATIVE_INFINITY}, read.floats("x"));
      assertArrayEquals(new double[] {1, -3.140625, Double.NEGATIVE_INFINITY}, read.doubles("x"));
    }
  }

  @Test
  void narrowIntegersKeepTheirSign() throws IOException {
    byte[] bytes = {(byte) 0xFE, (byte) 0xFF, 0x01, 0x00};
    assertIntegers("I16", "[2]", bytes, -2, 1);
    assertIntegers("I8", "[4]", bytes, -2, -1, 1, 0);
    assertIntegers("U8", "[4]", bytes, 254, 255, 1, 0);
    assertIntegers("BOOL", "[2]", new byte[] {1, 0}, 1, 0);
  }

  private void assertIntegers(String dtype, String shape, byte[] bytes, long... expected)
      throws IOException {
    try (Safetensors read = Safetensors.read(SafetensorsBytes.write(folder, dtype, shape, bytes))) {
      assertArrayEquals(expected, read.longs("x"), dtype);
      assertArrayEquals(
          Arrays.stream(expected).mapToInt(v -> (int) v).toArray(), read.ints("x"), dtype);
    }
  }

  @Test
  void valuesThatDoNotFitAreRefused() throws IOException {
    Path file = folder.resolve("big.safetensors");
    Safetensors.builder().put("n", new long[] {1, 5_000_000_000L}, 2).writeTo(file);
    try (Safetensors read = Safetensors.read(file)) {
      String message = refusal(() -> read.ints("n"));
      assertTrue(message.contains("5000000000 at index 1"), message);
    }
    try (Safetensors read =
        Safetensors.read(SafetensorsBytes.write(folder, "BOOL", "[2]", new byte[] {1, 2}))) {
      String message = refusal(() -> read.longs("x"));
      assertTrue(message.contains("byte 2 at index 1"), message);
    }
  }

  @Test
  void theWrongKindOfElementIsRefused() throws IOException {
    Path file = folder.resolve("kinds.safetensors");
    Safetensors.builder().put("r", new float[1], 1).put("n", new long[1], 1).writeTo(file);
    try (Safetensors read = Safetensors.read(file)) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> read.longs("r")).getMessage();
      assertTrue(message.contains("\"r\" of dtype F32") && message.contains("floats()"), message);
      message = assertThrows(IllegalArgumentException.class, () -> read.floats("n")).getMessage();
      assertTrue(message.contains("\"n\" of dtype I64") && message.contains("longs()"), message);
    }
  }

  @Test
  void anAbsentTensorIsAnsweredWithTheNearestNames() throws IOException {
    Path file = folder.resolve("names.safetensors");
    SafetensorsBuilder builder = Safetensors.builder();
    for (int layer = 0; layer < 30; layer++) {
      builder.put("param.bias_hh_l" + layer, new float[1], 1);
    }
    builder.put("param.weight_ih_l0", new float[1], 1).writeTo(file);
    try (Safetensors read = Safetensors.read(file)) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> read.floats("param.weight_ih_0"))
              .getMessage();
      assertTrue(message.contains("nearest of its 31: \"param.weight_ih_l0\", "), message);
    }
    Safetensors.builder().put("b", new int[1], 1).put("a", new int[1], 1).writeTo(file);
    try (Safetensors read = Safetensors.read(file)) {
      String message =
          assertThrows(IllegalArgumentException.class, () -> read.shape("c")).getMessage();
      assertTrue(message.endsWith("has no tensor \"c\"; it has \"b\", \"a\""), message);
    }
  }

  @Test
  void metadataAndNamesMayBeAnyUnicode() throws IOException {
    Path file = folder.resolve("한글 🎼.safetensors");
    Safetensors.builder()
        .metadata("vocabulary", "\u0000\n\"\\가나🎼\u2028")
        .metadata("빈", "")
        .put("가중치 \"𝛼\"", new float[] {1}, 1)
        .writeTo(file);
    try (Safetensors read = Safetensors.read(file)) {
      assertEquals(Map.of("vocabulary", "\u0000\n\"\\가나🎼\u2028", "빈", ""), read.metadata());
      assertArrayEquals(new float[] {1}, read.floats("가중치 \"𝛼\""));
    }
  }

  @Test
  void bytesAreReproducibleAndDataIsAligned() throws IOException {
    Path file = folder.resolve("bytes.safetensors");
    for (int length = 1; length < 20; length++) {
      String name = "n".repeat(length);
      Safetensors.builder().metadata("k", "v").put(name, new int[] {258}, 1).writeTo(file);
      byte[] bytes = Files.readAllBytes(file);
      Safetensors.builder().metadata("k", "v").put(name, new int[] {258}, 1).writeTo(file);
      assertArrayEquals(bytes, Files.readAllBytes(file));
      long header = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
      assertEquals(0, header % 8);
      assertEquals(8 + header + 4, bytes.length);
      String expected =
          "{\"__metadata__\":{\"k\":\"v\"},\""
              + name
              + "\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[0,4]}}";
      assertEquals(
          expected, new String(bytes, 8, (int) header, StandardCharsets.UTF_8).stripTrailing());
      assertArrayEquals(
          new byte[] {2, 1, 0, 0}, Arrays.copyOfRange(bytes, (int) header + 8, bytes.length));
    }
  }

  @Test
  void theBuilderRefusesWhatNobodyCouldRead() {
    SafetensorsBuilder builder = Safetensors.builder().put("x", new float[6], 2, 3);
    assertThrows(IllegalArgumentException.class, () -> builder.put("x", new float[1], 1));
    assertThrows(
        IllegalArgumentException.class, () -> builder.put("__metadata__", new float[1], 1));
    assertThrows(IllegalArgumentException.class, () -> builder.put("\ud800", new float[1], 1));
    builder.metadata("k", "v");
    assertThrows(IllegalArgumentException.class, () -> builder.metadata("k", "w"));
    assertThrows(IllegalArgumentException.class, () -> builder.metadata("j", "\udc00"));
    String message =
        assertThrows(ShapeException.class, () -> builder.put("y", new float[6], 2, 4)).getMessage();
    assertTrue(message.contains("8 elements") && message.contains("holds 6"), message);
    assertThrows(ShapeException.class, () -> builder.put("y", new float[6]));
    assertThrows(ShapeException.class, () -> builder.put("y", new float[6], -2, -3));
    assertThrows(ShapeException.class, () -> builder.put("y", new float[0], 1L << 32, 1L << 32));
  }

  @Test
  void aFileThatShrinksWhileOpenIsReported() throws IOException {
    Path file = folder.resolve("shrinks.safetensors");
    Safetensors.builder().put("x", new float[100], 100).writeTo(file);
    try (Safetensors read = Safetensors.read(file)) {
      try (var channel = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
        channel.truncate(200);
      }
      String message = refusal(() -> read.floats("x"));
      assertTrue(message.contains("was longer when it was opened"), message);
    }
  }

  @Test
  void anOpenFileOutlivesItsReplacement() throws IOException {
    Path file = folder.resolve("replaced.safetensors");
    Safetensors.builder().put("x", new int[] {1}, 1).writeTo(file);
    try (Safetensors old = Safetensors.read(file)) {
      Safetensors.builder().put("y", new int[] {2}, 1).writeTo(file);
      assertArrayEquals(new int[] {1}, old.ints("x"));
    }
  }

  @Test
  void readingAfterCloseIsReported() throws IOException {
    Path file = folder.resolve("closed.safetensors");
    Safetensors.builder().put("x", new int[] {1}, 1).writeTo(file);
    Safetensors read = Safetensors.read(file);
    read.close();
    assertEquals(Dtype.I32, read.dtype("x"));
    assertThrows(IllegalStateException.class, () -> read.ints("x"));
  }

  @Test
  void aTensorTooLargeForAnArrayIsRefusedByName() throws IOException {
    long bytes = 1L << 31;
    byte[] header =
        ("{\"x\":{\"dtype\":\"U8\",\"shape\":[" + bytes + "],\"data_offsets\":[0," + bytes + "]}}")
            .getBytes(StandardCharsets.UTF_8);
    Path file = SafetensorsBytes.write(folder, header, new byte[0]);
    // A sparse file: 2 GiB long, one byte on the disk.
    try (var channel = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
      channel.position(8 + header.length + bytes - 1);
      channel.write(ByteBuffer.allocate(1));
    }
    try (Safetensors read = Safetensors.read(file)) {
      String message = refusal(() -> read.ints("x"));
      assertTrue(message.contains("2147483648 elements"), message);
    }
  }

  @Test
  void missingFilesAndFoldersAreNamed() {
    Path absent = folder.resolve("absent.safetensors");
    String message =
        assertThrows(NoSuchFileException.class, () -> Safetensors.read(absent)).getMessage();
    assertTrue(message.contains("absent.safetensors: there is no such file"), message);
    assertTrue(refusal(() -> Safetensors.read(folder)).contains("is a folder"));
  }

  private static String refusal(Executable action) {
    return assertThrows(FileFormatException.class, action).getMessage();
  }
}

package io.unroll.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.unroll.FileFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsRefusalTest {
  private static final String X = "'x':{'dtype':'F32','shape':[2],'data_offsets':[0,8]}";

  @TempDir Path folder;

  /** Header with ' for ", bytes of data, and what the message must contain. */
  static Stream<Arguments> corruptions() {
    return Stream.of(
        arguments("", 0, "does not begin with {"),
        arguments("[]", 0, "does not begin with {"),
        arguments(" {}", 0, "does not begin with {"),
        arguments("\uFEFF{}", 0, "does not begin with {"),
        arguments("{", 0, "not JSON"),
        arguments("{x:1}", 0, "not JSON"),
        arguments("{" + X + ",}", 8, "not JSON"),
        arguments("{" + X + "}}", 8, "not JSON"),
        arguments("{" + X + "}{}", 8, "not JSON"),
        arguments("{/**/}", 0, "not JSON"),
        arguments("{" + X + "} 7", 8, "not JSON"),
        arguments("{" + X + "}\u0000", 8, "not JSON"),
        arguments("{" + X.replace("'x'", "'x\ny'") + "}", 8, "not JSON"),
        arguments("{" + X.replace("[2]", "[02]") + "}", 8, "not JSON"),
        arguments("{" + X.replace("[2]", "[NaN]") + "}", 8, "not JSON"),
        arguments("{'x':" + "[".repeat(100_000) + "}", 8, "must be object"),
        arguments("{'x':7}", 0, "tensor \"x\" is a JSON number, but must be object"),
        arguments("{'x':{}}", 0, "tensor \"x\" has no dtype"),
        arguments("{'x':{'dtype':'F32'}}", 0, "tensor \"x\" has no shape"),
        arguments("{'x':{'dtype':'F32','shape':[0]}}", 0, "\"x\" has no data_offsets"),
        arguments("{" + X.replace("F32", "F31") + "}", 8, "\"x\" has dtype \"F31\", but Unroll"),
        arguments("{" + X.replace("F32", "f32") + "}", 8, "has dtype \"f32\""),
        arguments("{" + X.replace("'F32'", "32") + "}", 8, "dtype of tensor \"x\" is a JSON num"),
        arguments("{" + X.replace("[2]", "2") + "}", 8, "shape of tensor \"x\" is a JSON number"),
        arguments("{" + X.replace("[2]", "['2']") + "}", 8, "is a JSON string, but must be num"),
        arguments("{" + X.replace("[2]", "[null]") + "}", 8, "is a JSON null, but must be num"),
        arguments("{" + X.replace("[2]", "[-2]") + "}", 8, "\"x\" has -2, but only integers"),
        arguments("{" + X.replace("[2]", "[-0]") + "}", 8, "\"x\" has -0, but only integers"),
        arguments("{" + X.replace("[2]", "[2.0]") + "}", 8, "\"x\" has 2.0, but only integers"),
        arguments("{" + X.replace("[2]", "[2e0]") + "}", 8, "\"x\" has 2e0, but only integers"),
        arguments(
            "{" + X.replace("[2]", "[9223372036854775808]") + "}", 8, "which overflows 63 bits"),
        arguments(
            "{" + X.replace("[2]", "[4294967296,4294967296]") + "}", 8, "size overflows 63 bits"),
        arguments(
            "{" + X.replace("[2]", "[4611686018427387905]") + "}", 8, "size overflows 63 bits"),
        arguments("{" + X.replace("[2]", "[3]") + "}", 8, "F32 [3] takes 12 bytes"),
        arguments("{" + X.replace("[2]", "[]") + "}", 8, "F32 [] takes 4 bytes"),
        arguments("{" + X.replace("[0,8]", "[8,0]") + "}", 8, "lies at bytes [8, 0)"),
        arguments("{" + X.replace("[0,8]", "[-1,7]") + "}", 8, "has -1, but only"),
        arguments("{" + X.replace("[0,8]", "[0]") + "}", 8, "has 1 data_offsets"),
        arguments("{" + X.replace("[0,8]", "[0,8,8]") + "}", 8, "has 3 data_offsets"),
        arguments("{" + X + "}", 7, "\"x\" lies at bytes [0, 8), but the file has only 7 bytes"),
        arguments("{" + X + "}", 9, "end at byte 8 of the data, but the file has 9"),
        arguments("{}", 1, "end at byte 0 of the data, but the file has 1"),
        arguments("{" + X.replace("[0,8]", "[1,9]") + "}", 9, "leaves a hole of 1 bytes"),
        arguments(
            "{" + X + "," + X.replace("'x'", "'y'").replace("[0,8]", "[4,12]") + "}",
            12,
            "tensor \"y\" lies at bytes [4, 12) and overlaps tensor \"x\" lies at bytes [0, 8)"),
        arguments(
            "{" + X + "," + X.replace("'x'", "'y'").replace("[0,8]", "[12,20]") + "}",
            20,
            "tensor \"y\" lies at bytes [12, 20) and leaves a hole of 4 bytes after tensor \"x\""),
        arguments("{" + X + "," + X + "}", 8, "tensor \"x\" is there twice"),
        arguments("{" + X.replace("'s", "'shape':[2],'s") + "}", 8, "\"x\" has shape twice"),
        arguments("{" + X.replace("'d", "'dtype':'F32','d") + "}", 8, "\"x\" has dtype twice"),
        arguments("{" + X.replace("'s", "'strides':[1],'s") + "}", 8, "the key \"strides\""),
        arguments("{'__metadata__':7}", 0, "__metadata__ is a JSON number"),
        arguments("{'__metadata__':{'k':1}}", 0, "\"k\" of __metadata__ is a JSON number"),
        arguments("{'__metadata__':{'k':'','k':''}}", 0, "\"k\" of __metadata__ is there twice"),
        arguments("{'__metadata__':{},'__metadata__':{}}", 0, "has __metadata__ twice"),
        arguments("{'a\\u001bb':7}", 0, "tensor \"a\\u001bb\" is a JSON number"));
  }

  @ParameterizedTest
  @MethodSource("corruptions")
  void aCorruptHeaderIsRefusedByName(String header, int dataBytes, String expected)
      throws IOException {
    byte[] json = header.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    assertRefused(SafetensorsBytes.write(folder, json, new byte[dataBytes]), expected);
  }

  @Test
  void theTableBeginsFromAValidFile() throws IOException {
    byte[] json = ("{" + X + "} \n ").replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    try (Safetensors read = Safetensors.read(SafetensorsBytes.write(folder, json, new byte[8]))) {
      assertEquals(2, read.floats("x").length);
    }
  }

  @Test
  void invalidUtf8IsRefused() throws IOException {
    byte[] json = ("{" + X + "}").replace('\'', '"').getBytes(StandardCharsets.ISO_8859_1);
    json[2] = (byte) 0xFF;
    assertRefused(SafetensorsBytes.write(folder, json, new byte[8]), "not UTF-8");
    json[2] = (byte) 0xC0;
    json[3] = (byte) 0x80;
    assertRefused(SafetensorsBytes.write(folder, json, new byte[8]), "not UTF-8");
  }

  @Test
  void aShortFileOrAnImpossibleHeaderLengthIsRefused() throws IOException {
    for (int length = 0; length < 8; length++) {
      Path file = Files.write(folder.resolve("short" + length), new byte[length]);
      assertRefused(file, "at least 8 bytes, but this has " + length);
    }
    assertRefused(prefixed(3, 2), "claims 3 bytes, but only 2 follow");
    assertRefused(prefixed(99_999_999, 2), "claims 99999999 bytes, but only 2 follow");
    assertRefused(prefixed(100_000_001, 2), "claims 100000001 bytes, but at most 100000000");
    assertRefused(prefixed(-1, 2), "claims 18446744073709551615 bytes, but at most");
  }

  private Path prefixed(long claimed, int following) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(8 + following).order(ByteOrder.LITTLE_ENDIAN);
    return Files.write(
        Files.createTempFile(folder, "prefixed", ""), bytes.putLong(claimed).array());
  }

  private static void assertRefused(Path file, String expected) {
    String message =
        assertThrows(FileFormatException.class, () -> Safetensors.read(file).close()).getMessage();
    assertTrue(message.startsWith(file + ": "), message);
    assertTrue(message.contains(expected), () -> "expected " + expected + " in: " + message);
    assertTrue(message.endsWith("."), () -> "no cure in: " + message);
  }

  @Test
  void aMutatedFileIsReadOrRefusedAndNothingElse() throws IOException {
    Path file = folder.resolve("fuzz.safetensors");
    Safetensors.builder()
        .metadata("vocabulary", "가나다 🎼 \"\\\n")
        .put("weight_ih_l0", new float[6], 2, 3)
        .put("편향", new double[2], 2)
        .put("steps", new long[] {7})
        .put("lengths", new int[3], 3)
        .writeTo(file);
    byte[] valid = Files.readAllBytes(file);
    int header = (int) ByteBuffer.wrap(valid).order(ByteOrder.LITTLE_ENDIAN).getLong();
    byte[] alphabet =
        "0123456789-+.eE\"'{}[],: \\u\u0000\nFIBOLUnull".getBytes(StandardCharsets.UTF_8);
    int refused = 0;
    for (int seed = 0; seed < 3000; seed++) {
      byte[] mutant = mutate(new Random(seed), valid, header + 8, alphabet);
      Files.write(file, mutant);
      try (Safetensors read = Safetensors.read(file)) {
        for (String name : read.names()) {
          if (read.dtype(name).floating()) {
            read.doubles(name);
          } else {
            read.longs(name);
          }
        }
      } catch (FileFormatException expected) {
        refused++;
      } catch (Throwable other) {
        fail("seed " + seed + ": only FileFormatException may come out", other);
      }
    }
    assertTrue(refused > 2000, "only " + refused + " of 3000 mutants were refused");
  }

  /** One to four edits of the prefix or header: replace, insert, delete or repeat a few bytes. */
  private static byte[] mutate(Random random, byte[] valid, int headerEnd, byte[] alphabet) {
    byte[] bytes = valid.clone();
    for (int edits = 1 + random.nextInt(4); edits > 0; edits--) {
      int at = random.nextInt(10) == 0 ? random.nextInt(8) : 8 + random.nextInt(headerEnd - 8);
      at = Math.min(at, bytes.length - 1);
      byte[] insert = new byte[random.nextInt(4)];
      for (int i = 0; i < insert.length; i++) {
        insert[i] =
            random.nextInt(8) == 0
                ? (byte) random.nextInt()
                : alphabet[random.nextInt(alphabet.length)];
      }
      int resume = Math.max(0, Math.min(bytes.length, at + random.nextInt(8) - 2));
      if (random.nextBoolean()) {
        resume = Math.min(bytes.length, at + insert.length);
      }
      byte[] next = Arrays.copyOf(bytes, at + insert.length + bytes.length - resume);
      System.arraycopy(insert, 0, next, at, insert.length);
      System.arraycopy(bytes, resume, next, at + insert.length, bytes.length - resume);
      bytes = next;
    }
    if (bytes.length > valid.length / 2 && random.nextInt(4) > 0) {
      // Keep the header's length honest, so that the edits reach the JSON.
      ByteBuffer.wrap(bytes)
          .order(ByteOrder.LITTLE_ENDIAN)
          .putLong(0, headerEnd - 8 + bytes.length - valid.length);
    }
    return bytes;
  }
}

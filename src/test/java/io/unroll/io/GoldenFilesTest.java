package io.unroll.io;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The files that PyTorch's own writer made. */
class GoldenFilesTest {
  @Test
  void everyGoldenFileReadsWhole() throws IOException, URISyntaxException {
    List<Path> files;
    try (Stream<Path> all = Files.list(folder())) {
      files = all.filter(f -> f.toString().endsWith(".safetensors")).collect(Collectors.toList());
    }
    assertTrue(files.size() >= 30, "only " + files.size() + " golden files");
    for (Path file : files) {
      try (Safetensors read = Safetensors.read(file)) {
        for (String name : read.names()) {
          long elements = 1;
          for (long extent : read.shape(name)) {
            elements *= extent;
          }
          if (read.dtype(name) == Dtype.F64) {
            double[] values = read.doubles(name);
            assertEquals(elements, values.length, file + " " + name);
            for (double value : values) {
              assertTrue(Double.isFinite(value), file + " " + name);
            }
          } else {
            assertEquals(elements, read.longs(name).length, file + " " + name);
          }
        }
      }
    }
  }

  @Test
  void valuesAreThoseOfTorch() throws IOException, URISyntaxException {
    try (Safetensors read = Safetensors.read(folder().resolve("gru_1layer.safetensors"))) {
      assertEquals("gru", read.metadata().get("cell"));
      assertArrayEquals(new long[] {5, 3, 4}, read.shape("x"));
      assertArrayEquals(new long[] {18, 4}, read.shape("param.weight_ih_l0"));
    }
    try (Safetensors read = Safetensors.read(folder().resolve("ctc.safetensors"))) {
      assertArrayEquals(new int[] {12, 9, 12}, read.ints("input_lengths"));
      assertEquals(35.27340653481081, read.doubles("loss")[0]);
    }
  }

  private static Path folder() throws URISyntaxException {
    return Path.of(GoldenFilesTest.class.getResource("/golden").toURI());
  }
}

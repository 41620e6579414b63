package io.unroll.examples;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.unroll.Backend;
import io.unroll.io.Fixtures;
import io.unroll.io.OnnxFile;
import io.unroll.io.Weights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ExchangeTest {
  private static final Path SOURCE = Path.of("src/examples/java/io/unroll/examples/Exchange.java");

  @TempDir Path folder;

  @Test
  void runs() throws IOException {
    Path back = folder.resolve("back.safetensors");
    Path onnx = folder.resolve("gru.onnx");
    try (Backend backend = Backend.open("cpu")) {
      Path state = Fixtures.path("torch_char.safetensors");
      Exchange.pytorch(backend, state, back);
      assertArrayEquals(
          Weights.read(state).values("module.decoder.bias"),
          Weights.read(back).values("head.bias"));
      Exchange.toOnnx(backend, onnx);
      assertEquals(OnnxFile.read(onnx).config(), Exchange.fromOnnx(backend, onnx));
      Exchange.fromKeras(backend, Fixtures.path("keras_lstm.safetensors"));
      assertEquals(0, backend.liveBytes());
    }
  }

  /** Every line of the page's Java is compiled above. */
  @Test
  void pageShowsTheExampleAsItIs() throws IOException {
    String source = Files.readString(SOURCE).replaceAll("(?m)^ +", "");
    String page = Files.readString(Path.of("docs/exchange.md"));
    String[] parts = page.split("```java\n", -1);
    assertTrue(parts.length >= 5, "four blocks of Java on the page");
    for (int i = 1; i < parts.length; i++) {
      String block = parts[i].substring(0, parts[i].indexOf("```")).replaceAll("(?m)^ +", "");
      assertTrue(source.contains(block), () -> "not in the example: " + block);
    }
  }
}
